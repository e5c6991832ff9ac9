// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "cluster_testing.h"

extern char** environ;

namespace gaggle::e2e {
namespace {

using namespace std::chrono_literals;

// The line that the node prints once it listens.
std::string read_line(int descriptor) {
  std::string line;
  char c = 0;
  pollfd ready{descriptor, POLLIN, 0};
  while (::poll(&ready, 1, 60'000) == 1 && ::read(descriptor, &c, 1) == 1 && c != '\n') line.push_back(c);
  return line;
}

std::vector<std::string> arguments_of(const Node::Options& options) {
  // The shell sets the limit before there is a program that could raise it. The node ends with the
  // test, also when a sanitizer ends that one: an orphan would keep ctest waiting for its output.
  const std::string limit =
      options.max_descriptors == 0 ? "" : "ulimit -n " + std::to_string(options.max_descriptors) + "; ";
  std::vector<std::string> arguments = {
      "/bin/sh",      "-c",        limit + "exec setpriv --pdeathsig KILL \"$0\" \"$@\"",
      GAGGLE_PROGRAM, "serve",     "--listen",
      options.listen, "--threads", "1"};
  for (const std::string& peer : options.peers) arguments.insert(arguments.end(), {"--peer", peer});
  for (const std::string& group : options.groups) arguments.insert(arguments.end(), {"--group", group});
  arguments.insert(arguments.end(), options.more.begin(), options.more.end());
  return arguments;
}

}  // namespace

Node::Node(Options options) {
  std::vector<std::string> arguments = arguments_of(options);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  const int error = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  output_ = ends[0];
  if (error != 0) throw std::runtime_error("posix_spawn");
  const std::string line = read_line(output_);
  constexpr std::string_view kListening = "listening on ";
  if (!line.starts_with(kListening)) {
    kill();
    throw std::runtime_error("the node didn't start: \"" + line + "\"");
  }
  address_ = line.substr(kListening.size());
}

Node::~Node() {
  kill();
  ::close(output_);
}

uint16_t Node::port() const { return static_cast<uint16_t>(std::stoi(address_.substr(address_.rfind(':') + 1))); }

void Node::signal(int number) const { ::kill(pid_, number); }

int Node::wait() {
  if (pid_ < 0) return 0;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void Node::kill() {
  if (pid_ < 0) return;
  signal(SIGKILL);
  wait();
}

size_t Node::resident_bytes() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
  size_t size = 0;
  size_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

size_t Node::descriptors() const {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid_) + "/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

std::chrono::milliseconds Node::processor_time() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));  // from the third field on
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  long user = 0;
  long system = 0;
  fields >> user >> system;
  return std::chrono::milliseconds((user + system) * 1'000 / ::sysconf(_SC_CLK_TCK));
}

}  // namespace gaggle::e2e
