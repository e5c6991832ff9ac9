// SPDX-License-Identifier: Apache-2.0
// What a server's reflection may send instead of descriptors.
//
// Input: FileDescriptorProtos, each after two bytes of length, the higher first.
#include <algorithm>
#include <cstdint>
#include <string>

#include "gaggle/services/descriptor_collector.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMaxFiles = 16;
  gaggle::DescriptorCollector collector(kMaxFiles, 64 * 1024);
  while (size >= 2) {
    const size_t length = std::min<size_t>(size_t{data[0]} << 8 | data[1], size - 2);
    const std::string file(reinterpret_cast<const char*>(data) + 2, length);
    data += 2 + length;
    size -= 2 + length;
    if (!collector.add(file).is_ok() || collector.missing()) continue;
    if (!collector.build().is_ok()) return 0;
  }
  // What was built can be used.
  google::protobuf::FileDescriptorProto copy;
  if (const auto* file = collector.pool().FindFileByName("a.proto")) file->CopyTo(&copy);
  return 0;
}
