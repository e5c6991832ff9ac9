// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "gaggle/rpc/codec.h"

namespace gaggle {

inline std::string reversed(std::string_view text) { return {text.rbegin(), text.rend()}; }

// "reversed": messages as they write themselves, back to front. "refuse" can't be marshalled, what begins
// with "bad" can't be read; "throw" throws, both ways.
class ReversingCodec final : public Codec {
 public:
  std::string_view name() const noexcept override { return "reversed"; }
  Result<Bytes> marshal(ConstMessage message) const override {
    Result<Bytes> plain = proto_codec().marshal(message);
    if (!plain) return plain;
    if (plain->view() == "refuse") return Status::out_of_range("it refuses");
    if (plain->view() == "throw") throw std::runtime_error("it throws");
    return Bytes::take(reversed(plain->view()));
  }
  Status unmarshal(Bytes encoded, Message message) const override {
    std::string plain = reversed(encoded.view());
    if (plain.starts_with("bad")) return Status::out_of_range("it can't read that");
    if (plain == "throw") throw std::runtime_error("it throws");
    return proto_codec().unmarshal(Bytes::take(std::move(plain)), message);
  }
};

inline CodecRegistry with_reversing_codec() {
  CodecRegistry registry;
  static_cast<void>(registry.add(std::make_unique<ReversingCodec>()));
  return registry;
}

}  // namespace gaggle
