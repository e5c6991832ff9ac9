// SPDX-License-Identifier: Apache-2.0
#include "bench/load/options.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string_view>
#include <variant>

namespace bench {

LoadOptions parse_load_options(int argc, char** argv) {
  LoadOptions options;
  using Target = std::variant<int*, std::uint32_t*, double*, std::string*>;
  const std::map<std::string_view, Target> flags = {
      {"--port", &options.port},
      {"--connections", &options.connections},
      {"--streams", &options.streams},
      {"--kind", &options.kind},
      {"--payload", &options.payload},
      {"--messages", &options.messages},
      {"--window", &options.window},
      {"--seconds", &options.seconds},
      {"--warm-up", &options.warm_up},
      {"--rate", &options.rate},
      {"--timeout-ms", &options.timeout_ms},
      {"--errors-per-mille", &options.errors_per_mille},
      {"--burn-us", &options.burn_us},
      {"--keep-going", &options.keep_going},
      {"--ca", &options.ca},
      {"--response-bytes", &options.response_bytes},
      {"--busy-poll-us", &options.busy_poll_us},
      {"--server-pid", &options.server_pid},
  };
  for (int i = 1; i < argc; i += 2) {
    const auto flag = flags.find(argv[i]);
    if (flag == flags.end() || i + 1 == argc) {
      std::fprintf(stderr, "usage: %s", argv[0]);
      for (const auto& [name, target] : flags) std::fprintf(stderr, " [%s X]", std::string(name).c_str());
      std::fprintf(stderr, "\n");
      std::exit(2);
    }
    const char* const text = argv[i + 1];
    if (auto* number = std::get_if<int*>(&flag->second)) **number = std::atoi(text);
    if (auto* count = std::get_if<std::uint32_t*>(&flag->second)) {
      **count = static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
    }
    if (auto* real = std::get_if<double*>(&flag->second)) **real = std::atof(text);
    if (auto* string = std::get_if<std::string*>(&flag->second)) **string = text;
  }
  return options;
}

void not_offered(const char* what) {
  std::fprintf(stderr, "this load generator has no %s\n", what);
  std::exit(2);
}

}  // namespace bench
