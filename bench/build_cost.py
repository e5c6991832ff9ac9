#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What generated code costs to compile and to link: ours beside grpc++'s.

    build_cost.py --build BUILD_DIRECTORY       (of ./run bench: build/bench)

Compiling: CPU seconds of `g++ -O2` for a file that uses a generated client and server, less those of a file that only
includes the .pb.h, which both need; medians of five, one after the other in turn. Linking: bytes of two servers,
stripped, static where that can be linked, both with the same options for the compiler and the linker (sections that
nobody needs are left out). The target is for the first: examples/hello, and the same of grpc++'s. The other one has
three methods, and TLS if its command line says so: OpenSSL, the same for both, is most of ours then.
"""

import argparse
import os
import resource
import shlex
import subprocess
import tempfile
from pathlib import Path
from statistics import median

BENCH = Path(__file__).resolve().parent
ROUNDS = 5

# What is measured, and the programs of the build: ours, grpc++'s.
HELLO = "hello server"
SERVERS = ((HELLO, "bench_gaggle_hello", "bench_grpc_hello"),
           ("server that has TLS, too", "bench_gaggle_server", "bench_grpc_callback_server"))

MESSAGES = '#include "bench.pb.h"\nint main() { return benchpb::Request().messages() != 0; }\n'
OURS = '''#include "bench.gaggle.h"
class Service final : public benchpb::UnimplementedBenchServer {
  gaggle::Task<gaggle::Status> Unary(gaggle::ServerContext&, const benchpb::Request& request,
                                     benchpb::Response& response) override {
    response.set_payload(request.payload());
    co_return gaggle::Status::ok();
  }
};
gaggle::Task<gaggle::Status> call(gaggle::ClientConnInterface& conn, gaggle::ServiceRegistrar& server) {
  static Service service;
  if (gaggle::Status status = benchpb::RegisterBenchServer(server, service); !status) co_return status;
  benchpb::BenchClient client{conn};
  gaggle::Context context;
  benchpb::Request request;
  benchpb::Response response;
  co_return co_await client.Unary(context, request, response);
}
'''
GRPCPP = '''#include <grpcpp/grpcpp.h>
#include "bench.grpc.pb.h"
class Service final : public benchpb::Bench::CallbackService {
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, const benchpb::Request* request,
                                  benchpb::Response* response) override {
    response->set_payload(request->payload());
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};
grpc::Status call(const std::shared_ptr<grpc::Channel>& channel, grpc::ServerBuilder& builder) {
  static Service service;
  builder.RegisterService(&service);
  const auto stub = benchpb::Bench::NewStub(channel);
  grpc::ClientContext context;
  benchpb::Request request;
  benchpb::Response response;
  return stub->Unary(&context, request, &response);
}
'''


def compile_seconds(source, includes):
    """CPU of one compilation."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "file.cc")
        file.write_text(source)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["g++", "-std=c++23", "-O2", *(f"-I{path}" for path in includes), "-c", str(file), "-o",
                        str(Path(directory, "file.o"))], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def link_command(build, program):
    """The command that has linked a program of the build, as words."""
    printed = subprocess.run(["ninja", "-C", str(build), "-t", "commands", "-s", f"bin/{program}"], check=True,
                             capture_output=True, text=True).stdout.strip().splitlines()[-1]
    words = shlex.split(printed)
    return words[words.index("&&") + 1:] if "&&" in words else words


def linked_bytes(build, program, static):
    """Size of the program, linked anew and stripped; None if it can't be linked so."""
    words = [word for word in link_command(build, program) if word not in ("&&", ":")]
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "program")
        words[words.index("-o") + 1] = out
        words += ["-Wl,--gc-sections", "-s"] + (["-static"] if static else [])
        if static:
            # Shared libraries are named by their paths; by their names the linker finds the archives.
            words = [f"-l{Path(word).name[3:].split('.so')[0]}" if ".so" in Path(word).name else word for word in words]
            extra = subprocess.run(["pkg-config", "--static", "--libs", "grpc++", "openssl", "libcares", "protobuf"],
                                   capture_output=True, text=True, check=False).stdout.split()
            words += ["-Wl,--start-group", *extra, "-Wl,--end-group"]
        done = subprocess.run(words, cwd=build, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None
        return os.path.getsize(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    build = options.build.resolve()
    messages = build / "bench" / "gaggle_bench_messages.generated"
    ours = [BENCH.parent, build / "bench" / "gaggle_bench_service.generated"]
    theirs = [build / "bench" / "grpcpp.generated", messages]
    seconds = {"messages": [], "gaggle": [], "grpc++": []}
    for _ in range(options.rounds):
        seconds["messages"].append(compile_seconds(MESSAGES, [messages]))
        seconds["gaggle"].append(compile_seconds(OURS, ours))
        seconds["grpc++"].append(compile_seconds(GRPCPP, theirs))
    base = median(seconds["messages"])
    added = {name: median(values) - base for name, values in seconds.items() if name != "messages"}
    print(f".pb.h alone: {base:.2f} s")
    for name, value in added.items():
        print(f"{name}: {value:.2f} s more")
    print(f"gaggle adds {added['gaggle'] / added['grpc++']:.2f} of what grpc++ adds (target ≤ 0.5, aim ≤ 0.25)")
    for server, ours_program, theirs_program in SERVERS:
        for static in (False, True):
            sizes = {"gaggle": linked_bytes(build, ours_program, static),
                     "grpc++": linked_bytes(build, theirs_program, static)}
            kind = "static" if static else "shared libraries not counted"
            said = ", ".join(f"{name} {'cannot be linked' if size is None else f'{size / 1e6:.2f} MB'}"
                             for name, size in sizes.items())
            ratio = f": {sizes['gaggle'] / sizes['grpc++']:.2f}" if all(sizes.values()) else ""
            target = " (target ≤ 0.33, aim ≤ 0.17)" if server == HELLO and static and ratio else ""
            print(f"{server}, stripped, {kind}: {said}{ratio}{target}")


if __name__ == "__main__":
    main()
