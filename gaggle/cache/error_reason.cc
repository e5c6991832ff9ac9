// SPDX-License-Identifier: Apache-2.0
#include "gaggle/cache/error_reason.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

// google.rpc.Status is written and read field by field: were its generated code linked in here, a
// program that has it from elsewhere would register the type twice and abort.

namespace gaggle::cache {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

constexpr std::string_view kErrorInfoType = "type.googleapis.com/google.rpc.ErrorInfo";

constexpr uint32_t tag(uint32_t field, uint32_t wire_type) { return field << 3 | wire_type; }
constexpr uint32_t kVarint = 0;
constexpr uint32_t kFixed64 = 1;
constexpr uint32_t kLengthDelimited = 2;
constexpr uint32_t kFixed32 = 5;

void write_string(CodedOutputStream& out, uint32_t field, std::string_view value) {
  out.WriteTag(tag(field, kLengthDelimited));
  out.WriteVarint32(static_cast<uint32_t>(value.size()));
  out.WriteRaw(value.data(), static_cast<int>(value.size()));
}

bool skip(CodedInputStream& in, uint32_t wire_type) {
  uint64_t varint = 0;
  uint32_t length = 0;
  switch (wire_type) {
    case kVarint: return in.ReadVarint64(&varint);
    case kFixed64: return in.Skip(8);
    case kLengthDelimited: return in.ReadVarint32(&length) && in.Skip(static_cast<int>(length));
    case kFixed32: return in.Skip(4);
    default: return false;
  }
}

// Calls `visit(field, content)` for each length-delimited field, skips the others, stops at the
// first thing that isn't protobuf.
template <class Visit>
void visit_strings(std::string_view message, Visit visit) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(message.data()), static_cast<int>(message.size()));
  while (const uint32_t next = in.ReadTag()) {
    if ((next & 7) != kLengthDelimited) {
      if (!skip(in, next & 7)) return;
      continue;
    }
    uint32_t length = 0;
    const auto start = [&] { return static_cast<size_t>(in.CurrentPosition()); };
    if (!in.ReadVarint32(&length) || length > message.size() - start()) return;
    visit(next >> 3, message.substr(start(), length));
    in.Skip(static_cast<int>(length));
  }
}

}  // namespace

Status status_with_reason(StatusCode code, std::string_view message, std::string_view reason) {
  std::string info;
  {
    StringOutputStream stream(&info);
    CodedOutputStream out(&stream);
    write_string(out, 1, reason);
    write_string(out, 2, kErrorDomain);
  }
  std::string any;
  {
    StringOutputStream stream(&any);
    CodedOutputStream out(&stream);
    write_string(out, 1, kErrorInfoType);
    write_string(out, 2, info);
  }
  std::string details;
  {
    StringOutputStream stream(&details);
    CodedOutputStream out(&stream);
    out.WriteTag(tag(1, kVarint));
    out.WriteVarint32(static_cast<uint32_t>(code));
    write_string(out, 2, message);
    write_string(out, 3, any);
  }
  return {code, message, details};
}

std::string reason_of(const Status& status) {
  std::string found;
  visit_strings(status.details(), [&](uint32_t field, std::string_view any) {
    if (field != 3) return;
    std::string_view type;
    std::string_view value;
    visit_strings(any, [&](uint32_t f, std::string_view content) { (f == 1 ? type : value) = content; });
    if (type != kErrorInfoType) return;
    std::string_view reason;
    std::string_view domain;
    visit_strings(value, [&](uint32_t f, std::string_view content) {
      if (f == 1) reason = content;
      if (f == 2) domain = content;
    });
    if (domain == kErrorDomain && found.empty()) found = reason;
  });
  return found;
}

}  // namespace gaggle::cache
