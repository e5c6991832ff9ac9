// SPDX-License-Identifier: Apache-2.0
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "gaggle/rpc/compressor.h"
#include "gaggle/rpc/compressor_output.h"
#include "gaggle/rpc/compressor_pool.h"

namespace gaggle {
namespace {

// RFC 8878 §3.1.1.1.2: every decoder should manage windows of 8 MiB. A frame that announces more
// than that and more than the message may be long is refused, since its window is memory.
constexpr int kMinWindowLog = 23;
constexpr int kMaxWindowLog = 27;

int window_log_for(size_t limit) noexcept {
  return std::clamp(static_cast<int>(std::bit_width(limit)), kMinWindowLog, kMaxWindowLog);
}

// A decoder that has had to do with a larger window than this isn't kept: its buffers stay with it.
constexpr size_t kKeptBytes = size_t{1} << 20;

struct Encoder {
  Encoder() : context(ZSTD_createCCtx()) {}
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  ~Encoder() { ZSTD_freeCCtx(context); }
  ZSTD_CCtx* context;
};

struct Decoder {
  Decoder() : context(ZSTD_createDCtx()) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { ZSTD_freeDCtx(context); }
  ZSTD_DCtx* context;
};

class ZstdCompressor final : public Compressor {
 public:
  explicit ZstdCompressor(int level) : level_(std::clamp(level, ZSTD_minCLevel(), ZSTD_maxCLevel())) {}

  std::string_view name() const noexcept override { return "zstd"; }
  bool compress(std::span<const uint8_t> message, std::string& out) const override;
  Status decompress(std::span<const uint8_t> compressed, size_t limit, std::string& out) const override;

 private:
  const int level_;
  mutable CompressorPool<Encoder> encoders_;
  mutable CompressorPool<Decoder> decoders_;
};

Status damaged(std::string_view how) {
  return Status::internal("the compressed message is no valid zstd: " + std::string(how));
}

bool ZstdCompressor::compress(std::span<const uint8_t> message, std::string& out) const {
  std::unique_ptr<Encoder> encoder = encoders_.take();
  if (encoder == nullptr) encoder = std::make_unique<Encoder>();
  if (encoder->context == nullptr) return false;
  const size_t begin = out.size();
  out.resize(begin + ZSTD_compressBound(message.size()));
  const size_t size = ZSTD_compressCCtx(encoder->context, out.data() + begin, out.size() - begin, message.data(),
                                        message.size(), level_);
  encoders_.give_back(std::move(encoder));
  if (ZSTD_isError(size)) return false;
  out.resize(begin + size);
  return true;
}

Status decompress_all(ZSTD_DCtx* context, std::span<const uint8_t> compressed, DecompressedOutput& out) {
  ZSTD_inBuffer in{compressed.data(), compressed.size(), 0};
  for (;;) {
    out.make_room();
    ZSTD_outBuffer piece{out.place(), out.room(), 0};
    const size_t left = ZSTD_decompressStream(context, &piece, &in);
    out.wrote(piece.pos);
    if (ZSTD_isError(left)) return damaged(ZSTD_getErrorName(left));
    if (out.over_limit()) return out.too_large();
    if (in.pos < in.size || piece.pos == piece.size) {
      if (in.pos == in.size && left == 0) return {};
      continue;  // another frame, or more of this one than there was room for
    }
    return left == 0 ? Status{} : damaged("it is cut off");
  }
}

Status ZstdCompressor::decompress(std::span<const uint8_t> compressed, size_t limit, std::string& out) const {
  // Zero bytes are no frame, and the library would wait for one.
  if (compressed.empty()) return damaged("it is empty");
  std::unique_ptr<Decoder> decoder = decoders_.take();
  if (decoder == nullptr) decoder = std::make_unique<Decoder>();
  if (decoder->context == nullptr) return Status::resource_exhausted("no memory to decompress a message");
  ZSTD_DCtx_reset(decoder->context, ZSTD_reset_session_and_parameters);
  ZSTD_DCtx_setParameter(decoder->context, ZSTD_d_windowLogMax, window_log_for(limit));
  DecompressedOutput output(out, limit);
  Status status = decompress_all(decoder->context, compressed, output);
  if (ZSTD_sizeof_DCtx(decoder->context) <= kKeptBytes) decoders_.give_back(std::move(decoder));
  return status;
}

}  // namespace

std::unique_ptr<Compressor> make_zstd_compressor(int level) { return std::make_unique<ZstdCompressor>(level); }

}  // namespace gaggle
