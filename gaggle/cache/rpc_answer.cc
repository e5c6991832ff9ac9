// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/rpc_answer.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstring>
#include <utility>

namespace gaggle {
namespace {

using cache::RpcAnswer;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

constexpr const MessageType& kFields = *message_type<groupcachepb::Response>();
constexpr size_t kMaxBytes = INT32_MAX;  // as protobuf has it

const RpcAnswer& answer(const void* object) noexcept { return *static_cast<const RpcAnswer*>(object); }

bool byte_size(const void* object, size_t* size) {
  const RpcAnswer& from = answer(object);
  if (!kFields.byte_size(&from.fields, size) || from.value.size() > kMaxBytes) return false;
  if (from.value.empty()) return true;
  *size += 1 + CodedOutputStream::VarintSize32(static_cast<uint32_t>(from.value.size())) + from.value.size();
  return *size <= kMaxBytes;
}

uint8_t* write_head(const RpcAnswer& from, uint8_t* out) {
  out = from.fields.SerializeWithCachedSizesToArray(out);
  if (from.value.empty()) return out;
  out = WireFormatLite::WriteTagToArray(groupcachepb::Response::kValueFieldNumber,
                                        WireFormatLite::WIRETYPE_LENGTH_DELIMITED, out);
  return CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(from.value.size()), out);
}

void serialize(const void* object, uint8_t* out) {
  const RpcAnswer& from = answer(object);
  out = write_head(from, out);
  if (!from.value.empty()) std::memcpy(out, from.value.data(), from.value.size());
}

bool parse(void* object, std::span<const uint8_t> encoded) {
  RpcAnswer& into = *static_cast<RpcAnswer*>(object);
  if (!kFields.parse(&into.fields, encoded)) return false;
  into.value = Bytes::take(std::move(*into.fields.mutable_value()));
  into.fields.clear_value();
  return true;
}

}  // namespace

constinit const MessageType MessageTypeOf<RpcAnswer>::kTable = {
    .name = kFields.name,
    .create = [] { return static_cast<void*>(new RpcAnswer); },
    .destroy = [](void* object) noexcept { delete static_cast<RpcAnswer*>(object); },
    .clear =
        [](void* object) noexcept {
          RpcAnswer& old = *static_cast<RpcAnswer*>(object);
          old.fields.Clear();
          old.value = Bytes{};
        },
    .byte_size = byte_size,
    .serialize = serialize,
    .parse = parse,
    .shared_tail = [](const void* object) { return &answer(object).value; },
    .serialize_head = [](const void* object, uint8_t* out) { write_head(answer(object), out); },
};

}  // namespace gaggle
