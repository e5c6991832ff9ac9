#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The base cell under ghz, the load generator that other comparisons use: 10 connections, 1000 calls in flight.

It costs several times what a fast server does, so it says who isn't the bottleneck rather than who is fastest.
"""

import argparse
import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

from runner import cells, languages, peers, process, wire

GHZ = languages.BENCH.parent / "test" / "interop" / "ghz"


def build(directory):
    go = shutil.which("go") or shutil.which("go", path=languages.ELSEWHERE["go"])
    if not go:
        sys.exit("ghz is built with Go, which is missing")
    program = directory / "ghz"
    subprocess.run([go, "build", "-mod=readonly", "-o", str(program), "github.com/bojand/ghz/cmd/ghz"], cwd=GHZ, check=True)
    return program


def run(program, server, seconds):
    data = json.dumps({"payload": base64.b64encode(wire.PAYLOAD).decode()})
    command = [program, "--insecure", "--proto", languages.BENCH / "bench.proto", "--call", "benchpb.Bench/Unary",
               "-d", data, "--connections", cells.BASE.connections, "-c", cells.BASE.in_flight, "-z", f"{seconds}s",
               "--duration-stop", "wait", "-O", "json", f"127.0.0.1:{server.port}"]
    before = server.cpu_ns()
    done = subprocess.run(process.pinned(process.LOAD_CORE, command), capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    bad = {status: count for status, count in report["statusCodeDistribution"].items() if status != "OK"}
    p99 = next(entry["latency"] for entry in report["latencyDistribution"] if entry["percentage"] == 99)
    return report["rps"], (server.cpu_ns() - before) / 1000 / report["count"], p99 / 1e6, bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--server", action="append", default=[], metavar="NAME")
    options = parser.parse_args()
    program = build(options.bin.resolve())
    print("| server | calls/s | server CPU µs/call | p99 ms | not OK |\n|---|---:|---:|---:|---|")
    for peer in peers.PEERS:
        if peer.name not in (options.server or peers.GRPC) or not peer.path(options.bin):
            continue
        with peer.start(options.bin) as server:
            run(program, server, 1)
            rate, cpu_us, p99, bad = run(program, server, options.seconds)
        print(f"| {peer.name} | {rate:,.0f} | {cpu_us:.2f} | {p99:.1f} | {bad or ''} |", flush=True)


if __name__ == "__main__":
    main()
