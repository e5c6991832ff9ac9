// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/compiler/code_generator.h>

#include <string>

namespace gaggle::codegen {

// The protoc plugin: makes x.gaggle.h and x.gaggle.cc of x.proto, beside protobuf's x.pb.h.
//
// Deterministic: the same proto and the same version give the same bytes. A proto without services
// gives two valid files that declare nothing.
class Generator final : public google::protobuf::compiler::CodeGenerator {
 public:
  bool Generate(const google::protobuf::FileDescriptor* file, const std::string& parameter,
                google::protobuf::compiler::GeneratorContext* context, std::string* error) const override;
  uint64_t GetSupportedFeatures() const override { return FEATURE_PROTO3_OPTIONAL; }
};

}  // namespace gaggle::codegen
