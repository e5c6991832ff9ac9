// SPDX-License-Identifier: Apache-2.0
// What one header block costs, in the shapes that gRPC peers send.
#include <benchmark/benchmark.h>
#include <nghttp2/nghttp2.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "gaggle/http2/hpack_decoder.h"
#include "gaggle/http2/hpack_encoder.h"
#include "gaggle/http2/huffman.h"

namespace gaggle::http2 {
namespace {

// A call of grpc-go, without its deadline.
const std::vector<HeaderOut> kRequest{
    {":method", "POST", HeaderName::kMethod},
    {":scheme", "http", HeaderName::kScheme},
    {":path", "/groupcachepb.GroupCache/Get", HeaderName::kPath},
    {":authority", "127.0.0.1:50051", HeaderName::kAuthority},
    {"content-type", "application/grpc", HeaderName::kContentType},
    {"user-agent", "grpc-go/1.80.0", HeaderName::kUserAgent},
    {"te", "trailers", HeaderName::kTe},
};

void decode(HpackDecoder& decoder, const OutputBuffer& block, HeaderBlockRef& out) {
  if (decoder.decode(block.bytes(), out) != HpackError::kOk) std::abort();
}

// Everything is in the tables: one byte per field.
void decode_indexed(benchmark::State& state, bool memo) {
  HpackEncoder encoder;
  HpackDecoder decoder({.memo = memo});
  OutputBuffer block;
  HeaderBlockRef out;
  for (int i = 0; i < 3; ++i) {
    block.clear();
    encoder.encode(kRequest, block);
    decode(decoder, block, out);
  }
  for (auto _ : state) {
    decode(decoder, block, out);
    benchmark::DoNotOptimize(out.get());
  }
  state.counters["bytes"] = static_cast<double>(block.size());
}
BENCHMARK_CAPTURE(decode_indexed, memo, true);
BENCHMARK_CAPTURE(decode_indexed, no_memo, false);

// The same with a grpc-timeout that is new each time and enters the table, as grpc-go does it: the
// table is full, and what the fields refer to moves with each call.
void decode_new_timeout(benchmark::State& state) {
  HpackEncoder encoder;
  // The first block empties the table, so that the sequence can be played again and again.
  encoder.set_peer_table_size(0);
  encoder.set_peer_table_size(kDefaultHeaderTableSize);
  std::vector<HeaderOut> fields = kRequest;
  fields.push_back({"grpc-timeout", {}, HeaderName::kGrpcTimeout});
  std::vector<OutputBuffer> blocks(1024);
  size_t bytes = 0;
  for (size_t call = 0; call < blocks.size(); ++call) {
    const std::string timeout = std::to_string(49'000'000 + call * 9973) + "n";
    fields.back().value = timeout;
    encoder.encode(fields, blocks[call]);
    bytes += blocks[call].size();
  }
  HpackDecoder decoder;
  HeaderBlockRef out;
  size_t next = 0;
  for (auto _ : state) {
    decode(decoder, blocks[next], out);
    benchmark::DoNotOptimize(out.get());
    if (++next == blocks.size()) next = 0;
  }
  state.counters["bytes"] = static_cast<double>(bytes) / static_cast<double>(blocks.size());
}
BENCHMARK(decode_new_timeout);

// nghttp2's decoder on the same block, for the ratio.
void decode_indexed_by_nghttp2(benchmark::State& state) {
  HpackEncoder encoder;
  nghttp2_hd_inflater* inflater = nullptr;
  if (nghttp2_hd_inflate_new(&inflater) != 0) std::abort();
  OutputBuffer block;
  const auto inflate = [&] {
    std::span<const uint8_t> left = block.bytes();
    for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
      nghttp2_nv field;
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater, &field, &flags, left.data(), left.size(), 1);
      if (used < 0) std::abort();
      benchmark::DoNotOptimize(field);
      left = left.subspan(static_cast<size_t>(used));
    }
    nghttp2_hd_inflate_end_headers(inflater);
  };
  for (int i = 0; i < 3; ++i) {
    block.clear();
    encoder.encode(kRequest, block);
    inflate();
  }
  for (auto _ : state) inflate();
  nghttp2_hd_inflate_del(inflater);
}
BENCHMARK(decode_indexed_by_nghttp2);

// A peer like nghttp2: :path as a literal in each call. The paths are all different, which the memo
// can't help with.
void decode_literal_path(benchmark::State& state, bool huffman) {
  HpackEncoder encoder({.huffman = huffman ? HuffmanUse::kAlways : HuffmanUse::kNever});
  HpackDecoder decoder;
  HeaderBlockRef out;
  std::vector<OutputBuffer> blocks;
  for (int call = 0; call < 64; ++call) {
    const std::string path = "/groupcachepb.GroupCache/Get" + std::to_string(call);
    std::vector<HeaderOut> fields = kRequest;
    fields[2].value = path;
    fields[2].indexing = Indexing::kNoIndex;
    OutputBuffer block;
    encoder.encode(fields, block);
    decode(decoder, block, out);
    if (call > 0) blocks.push_back(std::move(block));
  }
  size_t next = 0;
  for (auto _ : state) {
    decode(decoder, blocks[next], out);
    benchmark::DoNotOptimize(out.get());
    if (++next == blocks.size()) next = 0;
  }
}
BENCHMARK_CAPTURE(decode_literal_path, plain, false);
BENCHMARK_CAPTURE(decode_literal_path, huffman, true);

void encode_prepared(benchmark::State& state) {
  HpackEncoder encoder;
  const PreparedHeaders headers(0, {{":status", "200"}, {"content-type", "application/grpc"}});
  OutputBuffer out;
  for (auto _ : state) {
    out.clear();
    encoder.encode(headers, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(encode_prepared);

void encode_request(benchmark::State& state) {
  HpackEncoder encoder;
  OutputBuffer out;
  for (auto _ : state) {
    out.clear();
    encoder.encode(kRequest, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(encode_request);

// A client's call: what is fixed, prepared; and a deadline that isn't worth indexing.
void encode_prepared_and_timeout(benchmark::State& state) {
  HpackEncoder encoder;
  const PreparedHeaders headers(0, kRequest);
  const std::vector<HeaderOut> rest{{"grpc-timeout", "49998m", HeaderName::kGrpcTimeout, Indexing::kNoIndex}};
  OutputBuffer out;
  for (auto _ : state) {
    out.clear();
    encoder.encode(headers, rest, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(encode_prepared_and_timeout);

void huffman_decode(benchmark::State& state) {
  const std::string text = "/groupcachepb.GroupCache/Get?key=value&other=0123456789abcdef";
  std::vector<uint8_t> code(huffman::encoded_size(text));
  huffman::encode(text, code.data());
  std::vector<char> room(huffman::decoded_room(code.size()));
  for (auto _ : state) benchmark::DoNotOptimize(huffman::decode(code, room.data()));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(huffman_decode);

}  // namespace
}  // namespace gaggle::http2

BENCHMARK_MAIN();
