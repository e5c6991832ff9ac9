# SPDX-License-Identifier: Apache-2.0
"""Peers in other languages, built by their own tools into the directory of binaries; a missing tool is said.

    languages.py BUILD_DIRECTORY BIN_DIRECTORY
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ELSEWHERE = {"go": "/usr/local/go/bin", "cargo": os.path.expanduser("~/.cargo/bin")}  # where installers put them


class Missing(Exception):
    pass


def _tool(name):
    found = shutil.which(name) or shutil.which(name, path=ELSEWHERE.get(name, ""))
    if not found:
        raise Missing(f"{name} is missing")
    return found


def _run(command, directory, **environment):
    done = subprocess.run([str(word) for word in command], cwd=directory, env={**os.environ, **environment},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise Missing(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}")


def grpc_go(build, program):
    go, protoc = _tool("go"), _tool("protoc")
    here = build / "go"
    shutil.copytree(BENCH / "peers" / "go", here, dirs_exist_ok=True)
    module = "--{}_opt=module=gaggle.test/bench"
    _run([go, "build", "-o", "tools/", "google.golang.org/protobuf/cmd/protoc-gen-go",
          "google.golang.org/grpc/cmd/protoc-gen-go-grpc"], here)
    _run([protoc, "-I", BENCH, "--plugin=protoc-gen-go=tools/protoc-gen-go",
          "--plugin=protoc-gen-go-grpc=tools/protoc-gen-go-grpc", "--go_out=.", module.format("go"), "--go-grpc_out=.",
          module.format("go-grpc"), BENCH / "bench.proto"], here)
    _run([go, "build", "-o", program, "."], here)


def tonic(build, program):
    cargo = _tool("cargo")
    _tool("protoc")
    path = os.environ["PATH"] + os.pathsep + str(Path(cargo).parent)
    _run([cargo, "build", "--release", "--locked", "--quiet"], BENCH / "peers" / "tonic", PROTO_DIR=str(BENCH),
         CARGO_TARGET_DIR=str(build / "tonic"), PATH=path)
    shutil.copy(build / "tonic" / "release" / "server", program)


def main():
    build, bin_directory = (Path(argument).resolve() for argument in sys.argv[1:])
    (bin_directory / "peers").mkdir(parents=True, exist_ok=True)
    for name, make in (("grpc-go", grpc_go), ("tonic", tonic)):
        program = bin_directory / "peers" / name
        try:
            make(build, program)
        except Missing as why:
            program.unlink(missing_ok=True)
            print(f"{name} is left out: {why}", file=sys.stderr)


if __name__ == "__main__":
    main()
