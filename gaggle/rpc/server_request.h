// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gaggle/base/clock.h"
#include "gaggle/base/status.h"
#include "gaggle/http2/header_block.h"
#include "gaggle/net/frame_pool.h"

namespace gaggle {

class Codec;
class CodecRegistry;
class Compressor;
class CompressorRegistry;
class Metadata;
class MethodTable;
struct ServerMethod;

// What a request may ask of its server.
struct RequestRules {
  const MethodTable& methods;
  const CompressorRegistry& compressors;
  const CodecRegistry& codecs;
  const Codec* codec;  // answers every subtype; null: `codecs` do
};

// What a server understands of the header block of a request. Kept with the block, so that a block
// that comes again needs no parsing.
//
// The checks and their order: gRPC over HTTP2, "Requests", and grpc-go where that is silent.
struct RequestHead final : http2::HeaderBlock::Attachment {
  const ServerMethod* method = nullptr;  // null when refused
  std::string_view path;                 // with `method`: "/package.Service/Method"
  Duration timeout = Duration::max();    // max: none
  const Compressor* encoding = nullptr;  // of compressed messages; null: there may be none
  const Codec* codec = nullptr;          // of its messages; null: they write and read themselves
  // Of the content-type, as the client wrote it; the answer says the same in lower case. Valid as long
  // as the block.
  std::string_view subtype;
  bool proto_subtype = false;
  bool other_subtype = false;  // neither that nor none

  // Not OK: the call ends with it before anything of it runs.
  Status refusal;
  uint16_t http_status = 200;   // of a refusal
  bool list_encodings = false;  // a refusal that says which encodings there are

  // The head of `block`, parsed on the first call. Valid as long as the block.
  static const RequestHead& of(const http2::HeaderBlock& block, const RequestRules& rules);

  // Heads of blocks that differ each time (in grpc-timeout, say) come and go with every call.
  static void* operator new(size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* head, size_t size) noexcept { FramePool::deallocate(head, size); }

 private:
  void parse(const http2::HeaderBlock& block, const RequestRules& rules);
  void refuse(uint16_t http, Status why);
  bool check_http(const http2::HeaderBlock& block);
  bool check_content_type(const http2::HeaderBlock& block, const RequestRules& rules);
  bool check_authority(const http2::HeaderBlock& block);
  bool check_encoding(const http2::HeaderBlock& block, const CompressorRegistry& compressors);
  bool check_binary(const http2::HeaderBlock& block);
};

// Whether the client that sent `block` can read messages that are compressed so.
bool accepts_encoding(const http2::HeaderBlock& block, std::string_view name);

// Adds the custom metadata of a request, with `user-agent` and `:authority`.
void read_request_metadata(const http2::HeaderBlock& block, Metadata& metadata);

}  // namespace gaggle
