// SPDX-License-Identifier: Apache-2.0
//
// What a user's first program does, as one: a service, a server on a port of its own, a client that
// calls it. Exits 0 when the right answer came back.

#include <iostream>
#include <memory>

#include "gaggle/cache/cache.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/client_conn.h"
#include "gaggle/rpc/server.h"
#include "gaggle/services/error_details.h"
#include "gaggle/services/health.h"
#include "gaggle/services/reflection.h"
#include "google/rpc/error_details.pb.h"  // installed with gaggle::error_details
#include "groupcache.gaggle.h"            // installed with gaggle::cache
#include "scores.gaggle.h"                // generated here

namespace {

class Scores final : public scores::UnimplementedScoresServer {
  gaggle::Task<gaggle::Status> Get(gaggle::ServerContext&, const scores::ScoreRequest& request,
                                   scores::Score& score) override {
    if (request.player().empty()) {
      google::rpc::BadRequest bad;
      bad.add_field_violations()->set_field("player");
      co_return gaggle::status_with_details(gaggle::StatusCode::kInvalidArgument, "whose score?", {&bad});
    }
    score.set_points(static_cast<int64_t>(request.player().size()));
    co_return gaggle::Status::ok();
  }
};

int complain(const gaggle::Status& status) {
  std::cerr << status.to_string() << "\n";
  return 1;
}

}  // namespace

int main() {
  gaggle::LoopGroup loops(2);
  Scores implementation;
  gaggle::HealthServer health;
  gaggle::ReflectionServer reflection;
  auto server = gaggle::Server::create(loops);
  if (!server) return complain(server.error());
  if (gaggle::Status status = scores::RegisterScoresServer(**server, implementation); !status) return complain(status);
  if (gaggle::Status status = health.register_with(**server); !status) return complain(status);
  if (gaggle::Status status = reflection.register_with(**server); !status) return complain(status);
  auto port = (*server)->listen("127.0.0.1:0");
  if (!port) return complain(port.error());

  auto conn = gaggle::ClientConn::create(loops, "127.0.0.1:" + std::to_string(*port),
                                         {.credentials = gaggle::insecure_credentials()});
  if (!conn) return complain(conn.error());
  scores::ScoresClient client(**conn);
  scores::ScoreRequest request;
  scores::Score score;
  request.set_player("anna");
  const gaggle::Context context = gaggle::Context().with_timeout(std::chrono::seconds(10));
  if (gaggle::Status status = client.BlockingGet(context, request, score); !status) return complain(status);
  request.clear_player();
  const gaggle::Status refused = client.BlockingGet(context, request, score);
  const auto why = gaggle::error_detail<google::rpc::BadRequest>(refused);
  if (!why || why->field_violations(0).field() != "player") return complain(refused);
  std::cout << "anna" << " has " << score.points() << " points\n";
  return score.points() == 4 ? 0 : 1;
}
