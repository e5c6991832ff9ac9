// SPDX-License-Identifier: Apache-2.0
//
// The `gaggle` program: a cache node, two ways to look at one, and calls of anything.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <exception>
#include <iostream>

#include "gaggle/cli/command.h"

int main(int argc, char** argv) {
  using namespace gaggle::cli;
  CLI::App program("One node of a cache that many processes share, and what to ask it with.", "gaggle");
  program.set_version_flag("--version", "gaggle " GAGGLE_VERSION);
  program.require_subcommand(1);
  program.fallthrough(false);
  const std::array commands = {add_serve(program), add_get(program), add_stats(program), add_call(program)};
  const auto all = program.get_subcommands([](CLI::App*) { return true; });
  const auto is_first = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && std::ranges::none_of(all, is_first)) {
    std::cerr << "gaggle: there is no command \"" << argv[1] << "\"; gaggle --help lists them\n";
    return kExitError;
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error, std::cout, std::cerr) == 0 ? kExitOk : kExitError;
  }
  for (size_t i = 0; i < commands.size(); ++i) {
    if (!all[i]->parsed()) continue;
    try {
      return commands[i]();
    } catch (const std::exception& error) {
      std::cerr << "gaggle: " << error.what() << '\n';
      return kExitError;
    }
  }
  return kExitError;
}
