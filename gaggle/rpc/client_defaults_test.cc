// SPDX-License-Identifier: Apache-2.0
//
// What a connection wants of all its calls.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gaggle/rpc/client_testing.h"
#include "gaggle/rpc/codec.h"
#include "gaggle/rpc/credentials/token_credentials.h"

namespace gaggle {
namespace {

std::string text(const Status& status) { return status.to_string(); }
bool mentions(const Status& status, std::string_view words) {
  return status.message().find(words) != std::string_view::npos;
}

// What would make every call fail is known before the first.
TEST(ClientDefaultsTest, defaults_that_no_call_could_have_are_errors_at_creation) {
  ClientWorld world;
  const auto create = [&](const CallOptions& defaults) {
    return ClientConn::create(world.loops, "host:1", {.credentials = insecure_credentials(), .call_defaults = defaults})
        .status();
  };
  const auto secret = std::move(*StaticTokenCredentials::create("secret"));
  Metadata received;
  received.add_received("x y", "v");
  CallOption* const no_option[] = {nullptr};
  FinishHook* const no_hook[] = {nullptr};
  for (const auto& [defaults, said] :
       std::vector<std::pair<CallOptions, std::string>>{{{.compressor = "brotli"}, "\"brotli\""},
                                                        {{.content_subtype = "json"}, "no codec \"json\""},
                                                        {{.content_subtype = "a b"}, "\"a b\""},
                                                        {{.content_subtype = "a b", .codec = &bytes_codec()}, "a b"},
                                                        {{.metadata = &received}, "x y"},
                                                        {{.authority = "a b"}, "authority"},
                                                        {{.credentials = secret.get()}, "readable"},
                                                        {{.custom = no_option}, "null"},
                                                        {{.on_finish = no_hook}, "null"}}) {
    const Status refused = create(defaults);
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument) << said;
    EXPECT_TRUE(mentions(refused, "call_defaults") && mentions(refused, said)) << text(refused);
  }
  for (const CallOptions& good :
       {CallOptions{}, CallOptions{.compressor = "gzip"}, CallOptions{.compressor = "identity"},
        CallOptions{.content_subtype = "Proto"}, CallOptions{.content_subtype = "json", .codec = &bytes_codec()}}) {
    EXPECT_TRUE(create(good)) << text(create(good));
  }
}

}  // namespace
}  // namespace gaggle
