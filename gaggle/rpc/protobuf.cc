// SPDX-License-Identifier: Apache-2.0
//
// Protobuf messages that are sent without being copied.
#include "gaggle/rpc/protobuf.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace gaggle::internal {
namespace {

// Protobuf's way to write: small fields into the blocks of next(), each large one as it lies in the message.
class Pieces final : public google::protobuf::io::ZeroCopyOutputStream {
 public:
  explicit Pieces(const Bytes& owner) noexcept : owner_(owner) {}

  void write(std::span<const uint8_t> bytes) {
    while (!bytes.empty()) {
      void* place = nullptr;
      int room = 0;
      Next(&place, &room);
      const size_t part = std::min(bytes.size(), static_cast<size_t>(room));
      std::memcpy(place, bytes.data(), part);
      BackUp(room - static_cast<int>(part));
      bytes = bytes.subspan(part);
    }
  }

  bool Next(void** data, int* size) override {
    if (used_ == block_.size()) {
      finish_block();
      block_ = Bytes::uninitialised(kBlockBytes, &block_content_);
    }
    *data = block_content_ + used_;
    *size = static_cast<int>(block_.size() - used_);
    used_ = block_.size();
    return true;
  }
  void BackUp(int count) override { used_ -= static_cast<size_t>(count); }
  int64_t ByteCount() const override { return static_cast<int64_t>(bytes_ + used_ - begin_); }

  bool AllowsAliasing() const override { return true; }
  bool WriteAliasedRaw(const void* data, int size) override {
    const std::span content(static_cast<const uint8_t*>(data), static_cast<size_t>(size));
    if (content.size() < kBlockBytes) {
      write(content);
    } else {
      cut_block();
      add(owner_.sibling(content));
    }
    return true;
  }

  std::vector<Bytes> take() {
    finish_block();
    return std::move(pieces_);
  }

 private:
  // What is shorter is copied: a frame of its own costs more.
  static constexpr size_t kBlockBytes = 4096;

  void add(Bytes piece) {
    if (piece.empty()) return;
    bytes_ += piece.size();
    pieces_.push_back(std::move(piece));
  }
  // What the block holds so far is a piece; its rest is for later fields.
  void cut_block() {
    add(block_.slice(begin_, used_ - begin_));
    begin_ = used_;
  }
  void finish_block() {
    cut_block();
    block_ = {};
    begin_ = used_ = 0;
  }

  const Bytes& owner_;
  std::vector<Bytes> pieces_;
  size_t bytes_ = 0;  // in pieces_
  Bytes block_;
  uint8_t* block_content_ = nullptr;
  size_t begin_ = 0;  // of block_: what lies before is in pieces_
  size_t used_ = 0;
};

}  // namespace

std::vector<Bytes> pieces_of_protobuf(const google::protobuf::MessageLite& message, const Bytes& owner,
                                      std::span<const uint8_t> prefix) {
  Pieces pieces(owner);
  pieces.write(prefix);
  {
    google::protobuf::io::CodedOutputStream out(&pieces);
    out.EnableAliasing(true);
    message.SerializeWithCachedSizes(&out);
  }
  return pieces.take();
}

}  // namespace gaggle::internal
