// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gaggle/base/status.h"

namespace gaggle {

// The custom key-value pairs that travel with a call: in order, keys may repeat.
//
// Keys are lower-case letters, digits, '_', '-' and '.'. A key that ends in "-bin" has a value of
// any bytes (base64 on the wire); any other has printable ASCII, 0x20 to 0x7E, with no
// space at either end. Names that belong to the protocol ("grpc-…" apart from the two that applications set,
// "content-type", "te", "user-agent", ":…") are refused. Not thread-safe. See gRPC over HTTP2, "Custom-Metadata".
class Metadata {
 public:
  struct Entry {
    std::string key;
    std::string value;  // decoded: "-bin" values are the plain bytes
  };

  // INVALID_ARGUMENT, and nothing added, when key or value can't travel. Upper case in a key is
  // lowered.
  Status add(std::string_view key, std::string_view value);
  // As it came from the wire: nothing is checked now, but check() will be, before any call sends it.
  void add_received(std::string_view key, std::string_view value);
  // INVALID_ARGUMENT, which names it, when there is something that can't travel; calls that are to send it
  // end with INTERNAL then. Costs nothing unless something came by add_received().
  Status check() const { return checked_ ? Status{} : check_entries(); }

  // The first value of the key, or nullopt; a view until the metadata changes.
  std::optional<std::string_view> get(std::string_view key) const noexcept;
  // All values of the key, in order.
  std::vector<std::string_view> get_all(std::string_view key) const;
  void remove(std::string_view key);
  void append(const Metadata& other);
  void clear() noexcept {
    entries_.clear();
    checked_ = true;
  }

  bool empty() const noexcept { return entries_.empty(); }
  size_t size() const noexcept { return entries_.size(); }
  std::span<const Entry> entries() const noexcept { return entries_; }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }

 private:
  Status check_entries() const;

  std::vector<Entry> entries_;
  bool checked_ = true;  // every entry
};

}  // namespace gaggle
