// SPDX-License-Identifier: Apache-2.0
//
// `gaggle call` as a process, against a server with all four kinds of method and reflection.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "calls_testing.h"
#include "gaggle/net/loop_group.h"
#include "gaggle/rpc/server.h"
#include "gaggle/services/error_details.h"
#include "gaggle/services/reflection.h"

#ifdef GAGGLE_PROGRAM

extern char** environ;

namespace gaggle {
namespace {

using e2e::Ask;
using e2e::Reply;

class Calls final : public e2e::Calls {
 public:
  std::atomic<int> collected{0};  // Collect calls that were whole

  Task<Status> Unary(ServerContext& context, const Ask& ask, Reply& reply) override {
    Ask detail;
    detail.set_text("look here");
    if (ask.code() != 0) co_return status_with_details(static_cast<StatusCode>(ask.code()), "asked for", {&detail});
    reply.set_text("to " + ask.text());
    for (const auto& entry : context.metadata()) {
      if (entry.key.starts_with("x-")) reply.mutable_text()->append(" " + entry.key + "=" + entry.value);
    }
    reply.set_remaining_ms(context.has_deadline() ? 1 : -1);
    co_return Status::ok();
  }
  Task<Status> Collect(ServerContext& context, ClientStreamingServer<Ask>& asks, Reply& reply) override {
    Task<Status> collecting = e2e::Calls::Collect(context, asks, reply);
    Status ended = co_await std::move(collecting);
    if (ended) ++collected;
    co_return ended;
  }
  Task<Status> List(ServerContext& context, const Ask& ask, ServerStreamingServer<Reply>& replies) override {
    Reply reply;
    for (int i = 0; i < ask.times(); ++i) {
      reply.set_text(ask.text() + std::to_string(i));
      reply.set_remaining_ms(context.has_deadline() ? 1 : -1);
      Status sent = co_await replies.send(reply);
      if (!sent) co_return sent;
    }
    co_return ask.code() == 0 ? Status::ok() : Status(static_cast<StatusCode>(ask.code()), "after all");
  }
};

// A `gaggle call` under way, with pipes on its three descriptors.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    ::signal(SIGPIPE, SIG_IGN);
    int in[2], out[2], err[2];
    EXPECT_EQ(::pipe2(in, O_CLOEXEC) | ::pipe2(out, O_CLOEXEC) | ::pipe2(err, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    arguments.insert(arguments.begin(), {GAGGLE_PROGRAM, "call"});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&pid_, GAGGLE_PROGRAM, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    for (const int theirs : {in[0], out[1], err[1]}) ::close(theirs);
    in_ = in[1], out_ = out[0], err_ = err[0];
  }
  ~Program() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    for (const int ours : {in_, out_, err_}) {
      if (ours >= 0) ::close(ours);
    }
  }

  void type(const std::string& text) {
    EXPECT_EQ(::write(in_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close_input() {
    ::close(in_);
    in_ = -1;
  }
  std::string line() {
    std::string text;
    for (char c; ::read(out_, &c, 1) == 1 && c != '\n';) text += c;
    return text;
  }

  struct End {
    std::string out;
    std::string err;
    int code = -1;
  };
  // What remains of its output, once it has ended by itself.
  End end() {
    End result;
    read_all(out_, result.out);
    read_all(err_, result.err);
    int state = 0;
    ::waitpid(pid_, &state, 0);
    pid_ = -1;
    result.code = WIFEXITED(state) ? WEXITSTATUS(state) : -1;
    return result;
  }

 private:
  static void read_all(int descriptor, std::string& text) {
    char buffer[4096];
    for (ssize_t n; (n = ::read(descriptor, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
  }

  pid_t pid_ = -1;
  int in_ = -1, out_ = -1, err_ = -1;
};

struct CallProgramTest : ::testing::Test {
  LoopGroup loops{1};
  Calls calls;
  ReflectionServer reflection;
  std::unique_ptr<Server> server;
  std::string address;

  void SetUp() override { serve(true); }
  void serve(bool with_reflection) {
    server = std::move(*Server::create(loops));
    ASSERT_TRUE(e2e::RegisterCallsServer(*server, calls).is_ok());
    if (with_reflection) {
      ASSERT_TRUE(reflection.register_with(*server).is_ok());
    }
    address = "127.0.0.1:" + std::to_string(*server->listen("127.0.0.1:0"));
  }
  Program start(const std::string& method, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {address, method});
    return Program(std::move(more));
  }
  Program::End run(const std::string& method, std::vector<std::string> more = {}, const std::string& input = "") {
    Program program = start(method, std::move(more));
    if (!input.empty()) program.type(input);
    program.close_input();
    return program.end();
  }
};

TEST_F(CallProgramTest, a_unary_call_takes_and_gives_one_message) {
  const auto end = run("gaggle.e2e.Calls/Unary", {R"({"text": "me"})"});
  EXPECT_EQ(end.out, "{\"text\":\"to me\",\"remainingMs\":\"1\"}\n") << "there is a default deadline";
  EXPECT_EQ(end.err, "");
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(run("gaggle.e2e.Calls/Unary", {}, R"({"text": "me"})").out, end.out) << "from standard input";
  EXPECT_EQ(run("gaggle.e2e.Calls/Unary", {"-"}, R"({"text": "me"})").out, end.out);
  EXPECT_EQ(run("gaggle.e2e.Calls.Unary", {}).out, "{\"text\":\"to \",\"remainingMs\":\"1\"}\n")
      << "nothing is an empty request";
}

TEST_F(CallProgramTest, a_server_that_streams_gives_a_line_per_answer_and_has_time) {
  const auto end = run("gaggle.e2e.Calls/List", {R"({"text": "n", "times": 3})"});
  EXPECT_EQ(end.out,
            "{\"text\":\"n0\",\"remainingMs\":\"-1\"}\n{\"text\":\"n1\",\"remainingMs\":\"-1\"}\n"
            "{\"text\":\"n2\",\"remainingMs\":\"-1\"}\n");
  EXPECT_EQ(end.code, 0);
  const auto failed = run("gaggle.e2e.Calls/List", {R"({"text": "n", "times": 1, "code": 8})"});
  EXPECT_NE(failed.out, "") << "what came before the error is shown";
  EXPECT_EQ(failed.err, "gaggle: RESOURCE_EXHAUSTED: after all\n");
  EXPECT_EQ(failed.code, 2);
}

TEST_F(CallProgramTest, a_client_that_streams_sends_every_message) {
  EXPECT_EQ(run("gaggle.e2e.Calls/Collect", {R"({"text": "a"}{"text": "b"})"}).out, "{\"text\":\"ab\"}\n");
  EXPECT_EQ(run("gaggle.e2e.Calls/Collect", {}, "{\"text\": \"a\"}\n\n{\"text\":\n\"b\"} {}").out,
            "{\"text\":\"ab\"}\n");
  EXPECT_EQ(run("gaggle.e2e.Calls/Collect").out, "{}\n");
}

TEST_F(CallProgramTest, both_sides_stream_as_it_is_typed) {
  Program program = start("gaggle.e2e.Calls/Talk");
  program.type(R"({"text": "one"})");
  EXPECT_EQ(program.line(), "{\"text\":\"to one\"}") << "before the second one is typed";
  program.type("{\"text\": \"t");
  program.type("wo\"}");
  EXPECT_EQ(program.line(), "{\"text\":\"to two\"}");
  program.close_input();
  EXPECT_EQ(program.end().code, 0);
}

TEST_F(CallProgramTest, when_the_server_ends_nobody_waits_for_input) {
  Program program = start("gaggle.e2e.Calls/Talk");
  program.type(R"({"code": 10, "text": "bye"})");
  const auto end = program.end();  // standard input is still open
  EXPECT_EQ(end.err, "gaggle: ABORTED: bye\n");
  EXPECT_EQ(end.code, 2);
}

TEST_F(CallProgramTest, metadata_and_a_timeout_are_sent) {
  const auto end = run("gaggle.e2e.Calls/Unary", {"{}", "--header", "x-a: b c", "--header", "X-D-bin:AAE="});
  EXPECT_NE(end.out.find(" x-a=b c x-d-bin=\\u0000\\u0001"), std::string::npos) << end.out;
  EXPECT_NE(run("gaggle.e2e.Calls/List", {R"({"times": 1})", "--timeout", "10s"}).out.find("\"remainingMs\":\"1\""),
            std::string::npos);
  EXPECT_EQ(run("gaggle.e2e.Calls/Unary", {"{}", "--header", "x"}).code, 2);
  EXPECT_EQ(run("gaggle.e2e.Calls/Unary", {"{}", "--header", "grpc-status: 0"}).code, 2);
  EXPECT_EQ(run("gaggle.e2e.Calls/Unary", {"{}", "--timeout", "soon"}).code, 2);
}

TEST_F(CallProgramTest, exit_codes_are_those_of_get_and_details_are_shown) {
  const auto missing = run("gaggle.e2e.Calls/Unary", {R"({"code": 5})"});
  EXPECT_EQ(missing.code, 1) << "NOT_FOUND";
  EXPECT_EQ(missing.out, "");
  EXPECT_EQ(missing.err, "gaggle: NOT_FOUND: asked for\n  gaggle.e2e.Ask {\"text\":\"look here\"}\n");
  EXPECT_EQ(run("gaggle.e2e.Calls/Unary", {R"({"code": 9})"}).code, 2);
}

TEST_F(CallProgramTest, what_is_not_there_is_named_with_what_is) {
  const auto method = run("gaggle.e2e.Calls/Nope", {"{}"});
  EXPECT_EQ(method.err,
            "gaggle: UNIMPLEMENTED: service gaggle.e2e.Calls has no method Nope; it has Unary, Collect, List, Talk\n");
  EXPECT_EQ(method.code, 2);
  const auto service = run("no.Such/Method", {"{}"});
  EXPECT_NE(service.err.find("has no service no.Such; it has gaggle.e2e.Calls, "), std::string::npos) << service.err;
  EXPECT_EQ(service.code, 2) << "a service that isn't there is no NOT_FOUND of a method";
  EXPECT_NE(run("Unary", {"{}"}).err.find("package.Service/Method"), std::string::npos);
}

TEST_F(CallProgramTest, bad_json_is_shown_where_it_is_bad) {
  EXPECT_EQ(run("gaggle.e2e.Calls/Unary", {"{\"text\": \"a\"\n \"times\": 1}"}).err,
            "gaggle: INVALID_ARGUMENT: line 2, column 2: expected ',' or '}', found '\"'\n");
  const auto unknown = run("gaggle.e2e.Calls/Unary", {R"(  {"txt": "a"})"});
  EXPECT_NE(unknown.err.find("the request at line 1, column 3: this is no gaggle.e2e.Ask: txt"), std::string::npos)
      << unknown.err;
  EXPECT_NE(run("gaggle.e2e.Calls/Unary", {"{} {}"}).err.find("another one begins at line 1, column 4"),
            std::string::npos);
}

TEST_F(CallProgramTest, bad_json_in_the_middle_cancels_the_call) {
  const auto end = run("gaggle.e2e.Calls/Collect", {R"({"text": "a"} {"text": 1)"});
  EXPECT_EQ(end.out, "");
  EXPECT_NE(end.err.find("line 1, column 25: the text ends inside a value"), std::string::npos) << end.err;
  server->stop();
  ASSERT_TRUE(server->wait().is_ok());
  EXPECT_EQ(calls.collected, 0) << "half of a stream isn't taken for the whole";
}

TEST_F(CallProgramTest, without_reflection_it_says_so) {
  serve(false);
  const auto end = run("gaggle.e2e.Calls/Unary", {"{}"});
  EXPECT_NE(end.err.find("the server has no reflection service"), std::string::npos) << end.err;
  EXPECT_EQ(end.code, 2);
}

TEST_F(CallProgramTest, what_is_no_address_is_refused) {
  Program program({"no address", "a.B/C", "{}"});
  const auto end = program.end();
  EXPECT_EQ(end.err.find("gaggle: INVALID_ARGUMENT: SERVER: "), 0u) << end.err;
  EXPECT_EQ(end.code, 2);
}

TEST_F(CallProgramTest, a_server_that_is_not_there_is_unavailable) {
  server.reset();
  const auto end = run("gaggle.e2e.Calls/Unary", {"{}"});
  EXPECT_NE(end.err.find("UNAVAILABLE"), std::string::npos) << end.err;
  EXPECT_EQ(end.code, 2);
}

}  // namespace
}  // namespace gaggle

#endif  // GAGGLE_PROGRAM
