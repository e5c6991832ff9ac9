// SPDX-License-Identifier: Apache-2.0
//
// gzip and deflate, by zlib.
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/compressor_output.h"
#include "gaggle/rpc/compressor_pool.h"

namespace gaggle {
namespace {

// zlib's arguments for how a stream is wrapped; the window is 32 KiB in both.
constexpr int kZlibFormat = 15;
constexpr int kGzipFormat = 15 + 16;

// zlib counts in unsigned int.
uInt clamp(size_t bytes) noexcept {
  return static_cast<uInt>(std::min<size_t>(bytes, std::numeric_limits<uInt>::max()));
}

struct Deflater {
  Deflater(int level, int format) {
    good = deflateInit2(&stream, level, Z_DEFLATED, format, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() {
    if (good) deflateEnd(&stream);
  }
  z_stream stream{};
  bool good;
};

struct Inflater {
  explicit Inflater(int format) { good = inflateInit2(&stream, format) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (good) inflateEnd(&stream);
  }
  z_stream stream{};
  bool good;
};

class ZlibCompressor final : public Compressor {
 public:
  ZlibCompressor(std::string_view name, int format, int level)
      : name_(name), format_(format), level_(std::clamp(level, 1, 9)) {}

  std::string_view name() const noexcept override { return name_; }
  bool compress(std::span<const uint8_t> message, std::string& out) const override;
  Status decompress(std::span<const uint8_t> compressed, size_t limit, std::string& out) const override;

 private:
  Status inflate_all(z_stream& stream, std::span<const uint8_t> compressed, DecompressedOutput& out) const;
  Status damaged(std::string_view how) const {
    return Status::internal("the compressed message is no valid " + std::string(name_) + ": " + std::string(how));
  }

  const std::string_view name_;
  const int format_;
  const int level_;
  mutable CompressorPool<Deflater> deflaters_;
  mutable CompressorPool<Inflater> inflaters_;
};

bool ZlibCompressor::compress(std::span<const uint8_t> message, std::string& out) const {
  if (message.size() > std::numeric_limits<uInt>::max()) return false;
  std::unique_ptr<Deflater> deflater = deflaters_.take();
  if (deflater == nullptr) deflater = std::make_unique<Deflater>(level_, format_);
  if (!deflater->good) return false;
  z_stream& stream = deflater->stream;
  const size_t begin = out.size();
  // With as much room as it can possibly need, one call does it.
  const uLong bound = deflateBound(&stream, message.size());
  out.resize(begin + bound);
  stream.next_in = const_cast<Bytef*>(message.data());
  stream.avail_in = clamp(message.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data()) + begin;
  stream.avail_out = clamp(bound);
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(begin + stream.total_out);
  if (deflateReset(&stream) == Z_OK) deflaters_.give_back(std::move(deflater));
  return whole;
}

Status ZlibCompressor::decompress(std::span<const uint8_t> compressed, size_t limit, std::string& out) const {
  std::unique_ptr<Inflater> inflater = inflaters_.take();
  if (inflater == nullptr) inflater = std::make_unique<Inflater>(format_);
  if (!inflater->good) return Status::resource_exhausted("no memory to decompress a message");
  DecompressedOutput output(out, limit);
  Status status = inflate_all(inflater->stream, compressed, output);
  if (inflateReset(&inflater->stream) == Z_OK) inflaters_.give_back(std::move(inflater));
  return status;
}

Status ZlibCompressor::inflate_all(z_stream& stream, std::span<const uint8_t> compressed,
                                   DecompressedOutput& out) const {
  size_t used = 0;
  for (;;) {
    out.make_room();
    const uInt in = clamp(compressed.size() - used);
    const uInt room = clamp(out.room());
    stream.next_in = const_cast<Bytef*>(compressed.data()) + used;
    stream.avail_in = in;
    stream.next_out = out.place();
    stream.avail_out = room;
    const int result = inflate(&stream, Z_NO_FLUSH);
    used += in - stream.avail_in;
    out.wrote(room - stream.avail_out);
    if (out.over_limit()) return out.too_large();
    if (result == Z_STREAM_END) {
      if (used == compressed.size()) return {};
      // RFC 1952 §2.2: a gzip file is a series of members. zlib's format has one only.
      if (format_ != kGzipFormat) return damaged("bytes follow its end");
      if (inflateReset(&stream) != Z_OK) return damaged("it can't be read on");
      continue;
    }
    if (result != Z_OK && result != Z_BUF_ERROR) return damaged(stream.msg != nullptr ? stream.msg : "bad data");
    if (used == compressed.size() && stream.avail_out != 0) return damaged("it is cut off");
  }
}

}  // namespace

std::unique_ptr<Compressor> make_gzip_compressor(int level) {
  return std::make_unique<ZlibCompressor>("gzip", kGzipFormat, level);
}

std::unique_ptr<Compressor> make_deflate_compressor(int level) {
  return std::make_unique<ZlibCompressor>("deflate", kZlibFormat, level);
}

}  // namespace gaggle
