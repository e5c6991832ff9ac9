// SPDX-License-Identifier: Apache-2.0
//
// When turns end that begin with a socket.
#include "gaggle/net/fd_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "gaggle/net/loop.h"

namespace gaggle {
namespace {

// One end of a pipe, watched. Each byte that comes is noted, and the end of the turn in which it came.
class Source final : public TurnHook {
 public:
  Source(Loop& loop, std::string& log, char name) : log_(log), name_(name), watch_(loop) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    EXPECT_TRUE(watch_.open(FileDescriptor(ends[0])).is_ok());
    writer_ = FileDescriptor(ends[1]);
    watch_.wait_readable(readable_);
  }
  void send() { EXPECT_EQ(::write(writer_.get(), "x", 1), 1); }
  int received() const { return received_; }

  void on_readable() {
    char byte = 0;
    EXPECT_EQ(::read(watch_.get(), &byte, 1), 1);
    ++received_;
    log_ += name_;
    watch_.loop().defer(*this);
    watch_.wait_readable(readable_);
  }
  void on_turn_end() noexcept override {
    log_ += '.';
    if (post_at_turn_end != nullptr) watch_.loop().post(*std::exchange(post_at_turn_end, nullptr));
  }
  LoopWork* post_at_turn_end = nullptr;

 private:
  std::string& log_;
  const char name_;
  FdWatch watch_;
  FileDescriptor writer_;
  WaiterOf<&Source::on_readable> readable_{*this};
  int received_ = 0;
};

struct SourcesTest : ::testing::Test {
  Loop loop;
  std::string log;
  Source a{loop, log, 'a'};
  Source b{loop, log, 'b'};

  // One socket at a time is ready for a while.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      a.send();
      EXPECT_EQ(after(1), "a.");
    }
  }
  std::string after(int bytes) {
    const int before = a.received() + b.received();
    log.clear();
    loop.run_until([&] { return a.received() + b.received() == before + bytes; });
    while (loop.poll() != 0) {
    }
    return log;
  }
};

TEST_F(SourcesTest, a_turn_waits_for_all_sockets_that_are_ready) {
  a.send();
  b.send();
  const std::string both = after(2);
  EXPECT_TRUE(both == "ab.." || both == "ba..") << both;
}

TEST_F(SourcesTest, where_one_at_a_time_is_ready_its_turn_ends_with_it) {
  settle();
  a.send();
  b.send();
  const std::string each = after(2);
  EXPECT_TRUE(each == "a.b." || each == "b.a.") << each;
}

TEST_F(SourcesTest, turns_wait_for_all_again_where_several_are_ready) {
  settle();
  const uint64_t before = loop.stats().turns;
  for (int i = 0; i < 200; ++i) {
    a.send();
    b.send();
    after(2);
  }
  EXPECT_LE(loop.stats().turns - before, 200 + 40u);
}

TEST_F(SourcesTest, what_a_hook_of_such_a_turn_posts_is_done) {
  struct Note final : LoopWork {
    explicit Note(std::string& out) : log(out) {}
    void run_on_loop() noexcept override { log += 'w'; }
    void on_dropped() noexcept override {}
    std::string& log;
  } note(log);
  settle();
  a.post_at_turn_end = &note;
  a.send();
  EXPECT_EQ(after(1), "a.w");
}

}  // namespace
}  // namespace gaggle
