// SPDX-License-Identifier: Apache-2.0
//
// A server that speaks protobuf and JSON, and clients of both kinds, in one process.
#include "json_codec.h"

#include <gtest/gtest.h>

#include <string>

#include "gaggle/net/block_on.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/in_process.h"
#include "test/e2e/calls_testing.h"

namespace gaggle {
namespace {

using e2e::Ask;
using e2e::ask_of;
using e2e::Reply;

class Echo final : public e2e::Calls {
 public:
  Task<Status> Unary(ServerContext& context, const Ask& ask, Reply& reply) override {
    reply.set_text(ask.text() + " in " + std::string(context.content_subtype()));
    reply.set_filler("\x01");
    co_return Status::ok();
  }
};

struct World {
  LoopGroup loops{1};
  CodecRegistry codecs;
  Echo echo;
  std::unique_ptr<InProcessConn> conn;

  World() {
    EXPECT_TRUE(codecs.add(std::make_unique<JsonCodec>()));
    conn = std::move(*InProcessConn::create(loops, {.client = {.codecs = &codecs}, .server = {.codecs = &codecs}}));
    EXPECT_TRUE(e2e::RegisterCallsServer(*conn, echo));
  }
  e2e::CallsClient client() { return e2e::CallsClient(*conn); }
};

TEST(JsonExample, one_server_answers_both) {
  World world;
  Reply reply;
  ASSERT_TRUE(world.client().BlockingUnary({}, ask_of("me"), reply));
  EXPECT_EQ(reply.text(), "me in ");
  const Status status = world.client().BlockingUnary({}, ask_of("me"), reply, {.content_subtype = "json"});
  ASSERT_TRUE(status) << status.to_string();
  EXPECT_EQ(reply.text(), "me in json");
  EXPECT_EQ(reply.filler(), "\x01");
}

// With raw bytes a client sees what travels.
TEST(JsonExample, what_travels_is_json) {
  World world;
  const Bytes request = Bytes::copy_of(R"({"text": "by hand"})");
  Bytes response;
  const CallOptions options{.content_subtype = "json", .codec = &bytes_codec()};
  const Status status = block_on(world.loops.loop(0), world.client().UnaryRaw({}, request, response, options));
  ASSERT_TRUE(status) << status.to_string();
  EXPECT_EQ(response.view(), R"({"text":"by hand in json","filler":"AQ=="})");
}

TEST(JsonExample, what_isnt_the_message_is_an_error) {
  World world;
  Bytes response;
  const CallOptions options{.content_subtype = "json", .codec = &bytes_codec()};
  for (const char* bad : {"", "{", R"({"nobody knows": 1})", "\xff"}) {
    const Bytes request = Bytes::copy_of(bad);
    const Status status = block_on(world.loops.loop(0), world.client().UnaryRaw({}, request, response, options));
    EXPECT_EQ(status.code(), StatusCode::kInternal) << bad;
  }
  const Bytes request = Bytes::copy_of("{}");
  const Status raw =
      block_on(world.loops.loop(0), world.client().UnaryRaw({}, request, response, {.content_subtype = "json"}));
  EXPECT_EQ(raw.code(), StatusCode::kInternal) << "raw bytes have no JSON";
}

Task<Status> talk(e2e::CallsClient client, std::string& answers) {
  auto opening = client.Talk({}, {.content_subtype = "json"});
  auto stream = co_await std::move(opening);
  if (!stream) co_return stream.error();
  for (const char* text : {"a", "b"}) {
    const Ask ask = ask_of(text);
    Result<bool> sent = co_await stream->send(ask);
    if (!sent) co_return sent.error();
    Reply reply;
    Result<bool> more = co_await stream->recv(reply);
    if (!more) co_return more.error();
    answers += reply.text() + ";";
  }
  co_return co_await stream->close_send();
}

TEST(JsonExample, streams_speak_it) {
  World world;
  std::string answers;
  const Status status = block_on(world.loops.loop(0), talk(world.client(), answers));
  EXPECT_TRUE(status) << status.to_string();
  EXPECT_EQ(answers, "to a;to b;");
}

}  // namespace
}  // namespace gaggle
