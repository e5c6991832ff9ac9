// SPDX-License-Identifier: Apache-2.0
//
// One node, and visitors who aren't gRPC clients: it goes on answering, and memory and descriptors
// come back.
#include <gtest/gtest.h>

#include <random>

#include "cluster_testing.h"

namespace gaggle::e2e {
namespace {

using namespace std::chrono_literals;

constexpr size_t kMiB = 1 << 20;

struct AbuseTest : ::testing::Test {
  OriginDatabase origin;

  AbuseTest() {
    origin.put("k", "v");
    origin.put("large", std::string(256 * 1024, 'x'));
  }
  Node::Options options(int max_descriptors = 0) {
    return {.groups = {origin.group()}, .max_descriptors = max_descriptors};
  }
  static void expect_back(const Node& node, size_t descriptors, size_t resident, size_t slack) {
    EXPECT_TRUE(eventually([&] { return node.descriptors() <= descriptors; }))
        << node.descriptors() << " descriptors, " << descriptors << " before";
    // A sanitizer keeps what is freed, to find who uses it.
    if (!kSanitized) {
      EXPECT_LT(node.resident_bytes(), resident + slack);
    }
  }
};

// [31]
TEST_F(AbuseTest, garbage_on_the_port_harms_nobody) {
  Node node(options());
  Client client({node.address()});
  ASSERT_EQ(client.get_now(0, "k"), "v");
  const size_t descriptors = node.descriptors();
  const size_t resident = node.resident_bytes();
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    std::string garbage;
    switch (i % 5) {
      case 0: garbage = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"; break;
      case 1:
        garbage = std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
        break;  // the begin of a TLS hello
      case 2: garbage = http2_preface(65'535).substr(0, random() % 30); break;
      case 3: garbage = http2_preface(65'535) + http2_get(1, "g", "k"); break;
      default: break;
    }
    const size_t noise = random() % 2'000;
    for (size_t n = 0; n < noise; ++n) garbage.push_back(static_cast<char>(random()));
    RawConnection visitor(node.port());
    visitor.send_some(garbage);
    if (i % 50 == 0) {
      EXPECT_EQ(client.get_now(0, "k"), "v");
    }
  }
  EXPECT_EQ(client.get_now(0, "k"), "v");
  expect_back(node, descriptors, resident, 8 * kMiB);
}

TEST_F(AbuseTest, clients_that_never_read_cost_little_slow_nobody_and_leave_nothing) {
  Node node(options());
  Client client({node.address()});
  ASSERT_EQ(client.get_now(0, "large").size(), 256u * 1024);
  const size_t descriptors = node.descriptors();
  const size_t resident = node.resident_bytes();
  size_t after_the_first = 0;
  for (int round = 0; round < 4; ++round) {
    {
      RawConnection visitor(node.port());
      visitor.send_some(http2_preface(0x7fffffff));
      for (uint32_t i = 0; i < 4'000; ++i) {
        if (visitor.send_some(http2_get(2 * i + 1, "g", "large")) == 0) break;  // the node reads no more
      }
      for (int i = 0; i < 50; ++i) ASSERT_EQ(client.get_now(0, "k"), "v");
      if (!kSanitized) {
        EXPECT_LT(node.resident_bytes(), resident + 160 * kMiB) << "a gigabyte was asked for";
      }
    }
    EXPECT_TRUE(eventually([&] { return node.descriptors() <= descriptors; })) << node.descriptors();
    if (round == 0) after_the_first = node.resident_bytes();
  }
  // The allocator keeps what the first needed for the next; the others must need nothing on top.
  expect_back(node, descriptors, after_the_first, 16 * kMiB);
  EXPECT_EQ(client.get_now(0, "k"), "v");
}

TEST_F(AbuseTest, a_value_lies_in_memory_once_however_many_wait_for_it_and_read_none) {
  origin.put("giant", std::string(3 * kMiB, 'x'));
  Node node(options());
  Client client({node.address()});
  ASSERT_EQ(client.get_now(0, "k"), "v");
  const size_t resident = node.resident_bytes();
  std::vector<RawConnection> visitors;
  // All of them wait for the one load, so all have their answer at once.
  origin.lock();
  for (int i = 0; i < 5; ++i) {
    visitors.emplace_back(node.port());
    visitors.back().send_some(http2_preface(0x7fffffff));
    for (uint32_t call = 0; call < 100; ++call) visitors.back().send_some(http2_get(2 * call + 1, "g", "giant"));
  }
  ASSERT_TRUE(eventually([&] { return client.stats(0).gets() >= 500; })) << client.stats(0).gets();
  origin.unlock();
  ASSERT_TRUE(eventually([&] { return client.stats(0).main_store().items() == 2; }));
  for (int i = 0; i < 50; ++i) ASSERT_EQ(client.get_now(0, "k", patience(2s)), "v");
  EXPECT_EQ(client.stats(0).local_loads(), 2u);
  if (!kSanitized) {
    EXPECT_LT(node.resident_bytes(), resident + 48 * kMiB) << "1.5 GB were asked for";
  }
}

TEST_F(AbuseTest, ten_thousand_idle_connections_cost_little_and_leave_nothing) {
  Node node(options());
  Client client({node.address()});
  ASSERT_EQ(client.get_now(0, "k"), "v");
  const size_t descriptors = node.descriptors();
  const size_t resident = node.resident_bytes();
  constexpr size_t kConnections = 10'000;
  {
    std::vector<RawConnection> idle;
    idle.reserve(kConnections);
    for (size_t i = 0; i < kConnections; ++i) {
      idle.emplace_back(node.port());
      idle.back().send_some(http2_preface(65'535) + (i % 2 == 0 ? http2_get(1, "g", "k") : ""));
      if (i % 500 == 0) {
        EXPECT_GE(idle.back().read(9).size(), 9u) << "the server's preface";
      }
    }
    ASSERT_TRUE(eventually([&] { return node.descriptors() >= descriptors + kConnections; }, 60s))
        << node.descriptors();
    EXPECT_EQ(client.get_now(0, "k"), "v");
    if (!kSanitized) {
      EXPECT_LT(node.resident_bytes(), resident + kConnections * 6 * 1024) << "about 4 KiB each";
    }
  }
  expect_back(node, descriptors, resident, 48 * kMiB);
  EXPECT_EQ(client.get_now(0, "k"), "v");
}

TEST_F(AbuseTest, sixty_four_descriptors_are_enough_to_survive_two_hundred_visitors) {
  Node node(options(64));
  Client client({node.address()});
  ASSERT_EQ(client.get_now(0, "k"), "v");
  const size_t descriptors = node.descriptors();
  {
    std::vector<RawConnection> visitors;
    for (int i = 0; i < 200; ++i) visitors.emplace_back(node.port());
    ASSERT_TRUE(eventually([&] { return node.descriptors() >= 64; }));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(client.get_now(0, "k"), "v") << "connections that are there are served";
  }
  EXPECT_TRUE(eventually([&] { return node.descriptors() <= descriptors; })) << node.descriptors();
  Client another({node.address()});
  EXPECT_EQ(another.get_now(0, "k"), "v") << "new connections are accepted again";
}

TEST_F(AbuseTest, a_node_out_of_descriptors_waits_instead_of_spinning) {
  Node node(options(64));
  std::vector<RawConnection> visitors;
  for (int i = 0; i < 200; ++i) visitors.emplace_back(node.port());
  ASSERT_TRUE(eventually([&] { return node.descriptors() >= 64; }));
  const auto before = node.processor_time();
  // Nothing to wait for but time: the point is that the node does nothing meanwhile.
  std::promise<void>().get_future().wait_for(1s);
  EXPECT_LT(node.processor_time() - before, 300ms);
}

}  // namespace
}  // namespace gaggle::e2e
