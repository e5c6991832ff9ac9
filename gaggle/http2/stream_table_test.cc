// SPDX-License-Identifier: Apache-2.0
#include "gaggle/http2/stream_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace gaggle::http2 {
namespace {

TEST(StreamTable, finds_what_a_map_would_find) {
  std::mt19937 random(7);
  StreamTable table;
  std::map<uint32_t, Stream*> model;
  uint32_t next = 1;
  for (int step = 0; step < 20'000; ++step) {
    if (model.empty() || random() % 100 < (model.size() < 150 ? 55 : 30)) {
      next += 2 * (random() % 20 == 0 ? random() % 5000 : 1);
      Stream& stream = table.create();
      table.assign_id(stream, next);
      model[next] = &stream;
    } else {
      // The first lives for ever, as a watch does among short calls.
      auto victim = model.begin();
      std::advance(victim, random() % model.size());
      if (victim == model.begin() && model.size() > 1) ++victim;
      table.destroy(*victim->second);
      const uint32_t id = victim->first;
      model.erase(victim);
      ASSERT_EQ(table.find(id), nullptr);
    }
    ASSERT_EQ(table.size(), model.size());
    for (const auto& [id, stream] : model) ASSERT_EQ(table.find(id), stream) << "step " << step;
    ASSERT_EQ(table.find(next + 2), nullptr);
  }
}

TEST(StreamTable, a_long_stream_does_not_make_it_grow) {
  StreamTable table;
  Stream& watch = table.create();
  table.assign_id(watch, 1);
  for (uint32_t id = 3; id < 200'000; id += 2) {
    Stream& call = table.create();
    table.assign_id(call, id);
    table.destroy(call);
  }
  EXPECT_EQ(table.find(1), &watch);
  EXPECT_LT(table.memory_bytes(), 1024u)
      << "the window is as wide as the streams are many, not as the ids are far apart";
}

TEST(StreamTable, streams_are_used_again_as_new) {
  StreamTable table;
  Stream& first = table.create();
  table.assign_id(first, 1);
  first.user = &table;
  table.destroy(first);
  Stream& second = table.create();
  EXPECT_EQ(&second, &first) << "from the pool";
  EXPECT_EQ(second.user, nullptr);
  EXPECT_EQ(second.id(), 0u);
  EXPECT_EQ(second.state(), StreamState::kIdle);
  table.destroy(second);
  table.release_idle_memory();
  EXPECT_EQ(table.memory_bytes(), 0u) << "an idle connection holds none";
}

TEST(StreamTable, a_stream_is_small) { EXPECT_LE(sizeof(Stream), 96u) << "there may be a hundred thousand"; }

TEST(StreamHistory, tells_skipped_ended_and_reset_apart) {
  using Past = StreamHistory::Past;
  StreamHistory history;
  history.opened(1);
  history.opened(7);
  history.reset_by_us(7);
  EXPECT_EQ(history.past(1), Past::kEnded);
  EXPECT_EQ(history.past(3), Past::kSkipped);
  EXPECT_EQ(history.past(5), Past::kSkipped);
  EXPECT_EQ(history.past(7), Past::kResetByUs);
  history.opened(2 * 1024 + 1);
  EXPECT_EQ(history.past(1), Past::kForgotten) << "1,024 ids ago";
  EXPECT_EQ(history.past(7), Past::kResetByUs) << "and this is the edge";
  EXPECT_EQ(history.past(9), Past::kSkipped);
  history.opened(0x7fff'ffff);
  EXPECT_EQ(history.past(2 * 1024 + 1), Past::kForgotten);
  EXPECT_EQ(history.past(0x7fff'fffd), Past::kSkipped) << "a jump leaves nothing of what was there before";
  EXPECT_EQ(history.past(0x7fff'ffff), Past::kEnded);
}

}  // namespace
}  // namespace gaggle::http2
