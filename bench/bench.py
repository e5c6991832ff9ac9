#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs our server and the peers side by side under h2load and reports calls per second and server CPU per call.

The servers run on one core and the load on another; rounds go server by server (A B C D, A B C D), so that what
else the machine does meets all of them. Each server's answer is read back before it is measured, and every run's
answers are counted. Writes results/latest.json and results/latest.md, and prints the latter.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import idle_connections
import load
import report
import wire
from process import ServerProcess

HERE = Path(__file__).resolve().parent
WARM_UP_SHARE = 0.2  # of the measured time, before each measured run
FIRST_GUESS_CALLS = 3000


@dataclass(frozen=True)
class Candidate:
    name: str
    binary: str
    arguments: tuple = ()

    def command(self, directory):
        return [str(directory / self.binary), *self.arguments]


# One core serves, so one thread: grpc++ is slower there with a second completion queue thread.
CANDIDATES = [
    Candidate(report.OURS, "bench_gaggle_server", ("--threads", "1")),
    Candidate("grpc++ CQ", "bench_grpc_cq_server", ("--threads", "1")),
    Candidate("grpc++ callback", "bench_grpc_callback_server"),
    Candidate("nghttp2", "bench_nghttp2_server"),
]
SHAPES = [load.Shape(1, 1), load.Shape(1, 100), load.Shape(10, 10), load.Shape(10, 100)]


def progress(text):
    print(text, file=sys.stderr, flush=True)


def output_of(*command):
    """First line that a command prints, or "unknown"."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE)
        return done.stdout.strip().split("\n")[0]
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.machine()


def describe_setting(options):
    versions = {name: output_of("pkg-config", "--modversion", module) for name, module in
                [("grpc++", "grpc++"), ("libnghttp2", "libnghttp2"), ("protobuf", "protobuf")]}
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": cpu_model(),
        "kernel": platform.release(),
        "compiler": output_of("c++", "--version"),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items())
                    + ", " + output_of("h2load", "--version"),
        "commit": output_of("git", "describe", "--always", "--dirty"),
        "rounds": f"{options.rounds} of {options.seconds} s per cell; figures are medians (min – max)",
        "load average at start": "%.1f" % os.getloadavg()[0],
    }


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True, help="directory of the servers' binaries")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, help="measured time per cell and round (default 3; quick 0.8)")
    parser.add_argument("--quick", action="store_true", help="shorter cells: under three minutes in all")
    parser.add_argument("--only", action="append", default=[], metavar="WHAT",
                        help="a server, a shape or both (gaggle, 10x100, gaggle:10x100, idle); may be repeated")
    parser.add_argument("--connections", type=int, default=10_000, help="idle connections (default 10000; 0: none)")
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    options = parser.parse_args()
    if options.seconds is None:
        options.seconds = 0.8 if options.quick else 3.0
    return options


def wanted(options, name, cell):
    """Whether --only, if given, names this server, this cell (a shape, or "idle"), or the two together."""
    return not options.only or any(only in (name, cell, f"{name}:{cell}") for only in options.only)


def present(options):
    """The candidates that were built; a missing one is said, not fatal."""
    found = []
    for candidate in CANDIDATES:
        if (options.bin / candidate.binary).exists():
            found.append(candidate)
        else:
            progress(f"{candidate.name}: {candidate.binary} is not in {options.bin}, left out")
    return found


def measure_cells(options, candidates):
    """{shape: {server: [Sample per round]}}"""
    cells = {}
    with ExitStack() as stack:
        body = stack.enter_context(tempfile.NamedTemporaryFile(prefix="gaggle-bench-"))
        body.write(wire.REQUEST_BODY)
        body.flush()
        servers = {}
        for candidate in candidates:
            server = stack.enter_context(ServerProcess(candidate.command(options.bin)))
            wire.open_connection(server.port).close()
            servers[candidate.name] = server
        for shape in SHAPES:
            chosen = {n: s for n, s in servers.items() if wanted(options, n, str(shape))}
            rates = {name: load.run(server, shape, FIRST_GUESS_CALLS, body.name).calls_per_second
                     for name, server in chosen.items()}
            for number in range(1, options.rounds + 1):
                for name, server in chosen.items():
                    calls = rates[name] * options.seconds
                    load.run(server, shape, int(calls * WARM_UP_SHARE), body.name)
                    sample = load.run(server, shape, int(calls), body.name)
                    rates[name] = sample.calls_per_second
                    cells.setdefault(str(shape), {}).setdefault(name, []).append(sample)
                    progress(f"{shape} round {number} {name}: {sample.calls_per_second:,.0f} calls/s, "
                             f"{sample.cpu_us_per_call:.2f} µs")
    return cells


def measure_idle(options, candidates):
    """{server: bytes per idle connection}"""
    result = {}
    for candidate in candidates:
        if options.connections and wanted(options, candidate.name, "idle"):
            command = candidate.command(options.bin)
            result[candidate.name] = idle_connections.measure(command, options.connections)
            progress(f"idle {candidate.name}: {result[candidate.name]:,.0f} bytes per connection")
    return result


def write_results(options, setting, cells, idle_bytes):
    options.results.mkdir(exist_ok=True)
    raw = {shape: {name: [asdict(s) for s in samples] for name, samples in servers.items()}
           for shape, servers in cells.items()}
    document = {"setting": setting, "cells": raw, "cpu_ratios": report.ratios(cells), "idle_bytes": idle_bytes}
    (options.results / "latest.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    text = report.markdown(setting, cells, idle_bytes)
    (options.results / "latest.md").write_text(text)
    print(text)


def main():
    options = parse_arguments()
    if os.cpu_count() < 2:
        sys.exit("the benchmark needs two cores: one serves, one makes the load")
    setting = describe_setting(options)
    candidates = present(options)
    cells = measure_cells(options, candidates)
    idle_bytes = measure_idle(options, candidates)
    write_results(options, setting, cells, idle_bytes)
    missed = report.missed_targets(report.ratios(cells), idle_bytes) if options.check else []
    for sentence in missed:
        print(f"target missed: {sentence}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
