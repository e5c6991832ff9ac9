// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cli/members.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gaggle::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string error_of(const NodeAddresses& addresses) {
  const Result<Members> members = members_of(addresses);
  return members ? "(fine)" : std::string(members.error().message());
}

TEST(Members, are_none_without_peers) {
  const Result<Members> members = members_of({"0.0.0.0:0", "", {}});
  ASSERT_TRUE(members);
  EXPECT_THAT(members->all, IsEmpty());
}

TEST(Members, include_this_node_by_its_listening_address_if_that_is_real) {
  const Result<Members> members = members_of({"127.0.0.1:7001", "", {"127.0.0.1:7002"}});
  ASSERT_TRUE(members);
  EXPECT_EQ(members->self, "127.0.0.1:7001");
  EXPECT_THAT(members->all, ElementsAre("127.0.0.1:7002", "127.0.0.1:7001"));
}

TEST(Members, know_this_node_by_what_self_says) {
  const Result<Members> members = members_of({"0.0.0.0:7001", "node-1.example:7001", {"node-2.example:7001"}});
  ASSERT_TRUE(members);
  EXPECT_EQ(members->self, "node-1.example:7001");
}

TEST(Members, need_self_when_listen_is_no_real_address) {
  for (const char* listen : {"0.0.0.0:7001", "[::]:7001", "127.0.0.1:0"}) {
    EXPECT_THAT(error_of({listen, "", {"127.0.0.1:7002"}}), HasSubstr("say --self HOST:PORT")) << listen;
  }
}

TEST(Members, that_cannot_be_addresses_are_refused_by_their_flag) {
  EXPECT_THAT(error_of({"nonsense", "", {}}), HasSubstr("--listen: "));
  EXPECT_THAT(error_of({"127.0.0.1:1", "nonsense", {}}), HasSubstr("--self: "));
  EXPECT_THAT(error_of({"127.0.0.1:1", "127.0.0.1:0", {}}), HasSubstr("--self 127.0.0.1:0"));
  EXPECT_THAT(error_of({"127.0.0.1:1", "", {"nonsense"}}), HasSubstr("--peer: "));
  EXPECT_THAT(error_of({"127.0.0.1:1", "", {"127.0.0.1:0"}}), HasSubstr("--peer 127.0.0.1:0"));
}

TEST(ListeningAddress, shows_the_port_that_the_system_chose) {
  EXPECT_EQ(with_port("127.0.0.1:0", 40'123), "127.0.0.1:40123");
  EXPECT_EQ(with_port("[::1]:0", 7), "[::1]:7");
  EXPECT_EQ(with_port("unix:/tmp/s", 0), "unix:/tmp/s");
}

}  // namespace
}  // namespace gaggle::cli
