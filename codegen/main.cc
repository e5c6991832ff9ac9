// SPDX-License-Identifier: Apache-2.0
//
// protoc-gen-gaggle: protoc starts it for --gaggle_out, and talks to it over standard input and output.

#include <google/protobuf/compiler/plugin.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "codegen/generator.h"

namespace {

constexpr char kHelp[] = "protoc-gen-gaggle " GAGGLE_VERSION
                         ": makes gaggle clients and servers of the services in .proto files.\n"
                         "\n"
                         "protoc runs it:\n"
                         "  protoc --cpp_out=DIR --gaggle_out=DIR x.proto\n"
                         "writes x.gaggle.h and x.gaggle.cc beside x.pb.h and x.pb.cc. When it isn't on the PATH:\n"
                         "  protoc --plugin=protoc-gen-gaggle=/path/to/protoc-gen-gaggle ...\n"
                         "\n"
                         "Options, as --gaggle_opt=NAME=VALUE:\n"
                         "  paths=source_relative   files lie below DIR as their protos do; always the case\n"
                         "\n"
                         "  --version   prints the version\n"
                         "  --help      prints this\n";

}  // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--version") {
    std::puts("protoc-gen-gaggle " GAGGLE_VERSION);
    return 0;
  }
  if (first == "--help" || first == "-h") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (argc > 1) {
    std::fprintf(stderr, "protoc-gen-gaggle: unknown argument \"%s\"; --help tells more\n", argv[1]);
    return 2;
  }
  if (isatty(STDIN_FILENO) != 0) {
    std::fputs("protoc-gen-gaggle: it is protoc that runs this program; --help tells how\n", stderr);
    return 2;
  }
  const gaggle::codegen::Generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}
