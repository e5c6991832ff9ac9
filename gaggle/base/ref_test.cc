// SPDX-License-Identifier: Apache-2.0
#include "gaggle/base/ref.h"

#include <gtest/gtest.h>

#include <string>

#include "gaggle/base/log.h"

namespace gaggle {
namespace {

struct Counted : LocalRefCounted<Counted> {
  explicit Counted(int& alive) : alive_(alive) { ++alive_; }
  ~Counted() { --alive_; }
  int& alive_;
};

TEST(Ref, the_last_one_deletes) {
  int alive = 0;
  {
    Ref<Counted> first = make_ref<Counted>(alive);
    Ref<Counted> second = first;
    Ref<Counted> third = Ref<Counted>::share(second.get());
    first = nullptr;
    second = std::move(third);
    EXPECT_EQ(alive, 1);
    EXPECT_EQ(third, nullptr);
    const Ref<Counted> back = Ref<Counted>::adopt(second.release());
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Ref, survives_assignment_to_itself) {
  int alive = 0;
  Ref<Counted> ref = make_ref<Counted>(alive);
  Ref<Counted>& same = ref;
  ref = same;
  ref = std::move(same);
  EXPECT_EQ(alive, 1);
}

TEST(Log, is_silent_without_a_sink_and_below_its_minimum) {
  Log()(LogLevel::kError, "nobody hears this");
  std::string lines;
  const Log log{.sink =
                    [](void* user, LogLevel level, std::string_view line) {
                      static_cast<std::string*>(user)->append(log_level_name(level)).append(line);
                    },
                .user = &lines,
                .minimum = LogLevel::kWarning};
  EXPECT_FALSE(log.wants(LogLevel::kInfo));
  log(LogLevel::kInfo, "-too quiet");
  log(LogLevel::kWarning, "-heard");
  EXPECT_EQ(lines, "warning-heard");
}

}  // namespace
}  // namespace gaggle
