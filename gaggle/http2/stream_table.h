// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gaggle/http2/stream.h"

namespace gaggle::http2 {

// All streams of a connection, and finding them by id without hashing.
//
// Client-initiated ids are 1, 3, 5, …: a stream lies in a window of slots at (id / 2) modulo its
// size. The window has at least twice as many slots as streams. A stream that lives so long that a
// later one needs its slot moves to a list of elders, sorted by id: finding one of those is a
// binary search. Streams are pooled.
class StreamTable {
 public:
  StreamTable() = default;
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;
  ~StreamTable();

  Stream* find(uint32_t id) const {
    if (slots_ == 0) return nullptr;
    Stream* stream = slot_of(id);
    if (stream != nullptr && stream->id_ == id) return stream;
    return elders_ == nullptr ? nullptr : find_elder(id);
  }

  // A new stream without an id, in its initial state.
  Stream& create();
  // Gives it its id; ids only grow.
  void assign_id(Stream& stream, uint32_t id);
  // Forgets the stream and puts it into the pool.
  void destroy(Stream& stream);

  size_t size() const { return size_; }
  // All streams, in no useful order: first(), then next() until null. Moving the current one to
  // the end is allowed.
  Stream* first() const { return first_; }
  static Stream* next(const Stream& stream) { return stream.next_; }
  void move_to_end(Stream& stream);

  void release_idle_memory();
  size_t memory_bytes() const;

 private:
  Stream* find_elder(uint32_t id) const;
  void put(Stream& stream);
  void grow(uint32_t slots);
  Stream*& slot_of(uint32_t id) const { return window_[(id >> 1) & (slots_ - 1)]; }
  void link_last(Stream& stream);
  void unlink(Stream& stream);

  std::unique_ptr<Stream*[]> window_;
  std::unique_ptr<std::vector<Stream*>> elders_;  // made for the first of them
  Stream* first_ = nullptr;
  Stream* last_ = nullptr;
  Stream* pool_ = nullptr;
  uint32_t slots_ = 0;  // of the window: zero or a power of two
  uint32_t size_ = 0;
  uint32_t pooled_ = 0;
};

// What became of the latest 1,024 stream ids, once their streams are gone: RFC 9113 §5.1 treats
// frames for a stream differently if it never was, has ended, or was reset by us.
//
// As long as every id from the first on has had its stream, and none was reset by us, two numbers say it all.
class StreamHistory {
 public:
  enum class Past : uint8_t { kSkipped, kEnded, kResetByUs, kForgotten };

  // `id` is new; all between the last one and this were skipped.
  void opened(uint32_t id);
  void reset_by_us(uint32_t id);
  // Of an id up to the last opened.
  Past past(uint32_t id) const;

 private:
  static constexpr uint32_t kIds = 1024;
  static constexpr uint32_t kWords = kIds / 64;
  static uint32_t index(uint32_t id) { return id >> 1; }
  static bool test(const std::array<uint64_t, kWords>& bits, uint32_t i) {
    return (bits[i / 64 % kWords] >> (i % 64) & 1) != 0;
  }
  static void set(std::array<uint64_t, kWords>& bits, uint32_t i, bool value) {
    const uint64_t bit = uint64_t{1} << (i % 64);
    uint64_t& word = bits[i / 64 % kWords];
    word = value ? word | bit : word & ~bit;
  }

  struct Exceptions {
    std::array<uint64_t, kWords> skipped{};
    std::array<uint64_t, kWords> reset{};
  };
  Exceptions& exceptions();
  void skip(uint32_t from, uint32_t to);

  uint32_t first_ = 0;  // index of the first opened
  uint32_t next_ = 0;   // index after the last
  std::unique_ptr<Exceptions> exceptions_;
};

}  // namespace gaggle::http2
