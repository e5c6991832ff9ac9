#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs our server and the peers side by side and reports rates, CPU, latencies, system calls, allocations, memory.

The servers run on one core and the load on another; rounds go server by server (A B C D, A B C D), so that what
else the machine does meets all of them. Writes results/NAME.json, NAME.md and plots, and prints the Markdown.
README.md says what is measured how.
"""

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from runner import cells, counts, latency, loads, memory, peers, plots, process, report, setting, targets, wire
from runner.samples import LoadFailed

HERE = Path(__file__).resolve().parent
QUICK_LATENCY = cells.LATENCY[:1]
OTHER_PARTS = ("idle", "streams", "overload", *(f"latency-{cell.name}" for cell in cells.LATENCY))


def progress(text):
    print(text, file=sys.stderr, flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True, help="directory of the programs")
    parser.add_argument("--rounds", type=int, help="default 5; quick 3")
    parser.add_argument("--seconds", type=float, help="measured time per cell, server and round; default 0.8; quick 0.25")
    parser.add_argument("--quick", action="store_true", help="fewer cells, shorter: under five minutes in all")
    parser.add_argument("--cell", action="append", default=[], metavar="NAME",
                        help=f"only this cell; may be repeated. Also {', '.join(OTHER_PARTS)}")
    parser.add_argument("--server", action="append", default=[], metavar="NAME", help="only this server; may be repeated")
    parser.add_argument("--list", action="store_true", help="names the cells and the servers")
    parser.add_argument("--connections", type=int, default=10_000, help="idle connections (default 10000)")
    parser.add_argument("--no-counts", action="store_true", help="no system calls and allocations")
    parser.add_argument("--check", action="store_true", help="fail when a target is missed or grpc++ is faster somewhere")
    parser.add_argument("--name", default="latest", help="of the files in the directory of results")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = options.seconds or (0.25 if options.quick else 0.8)
    known = {cell.name for cell in cells.ALL} | set(OTHER_PARTS)
    for name in options.cell:
        if name not in known:
            parser.error(f"no cell {name!r}; --list names them")
    known = [peer.name for peer in peers.PEERS]
    for name in options.server:
        if name not in known:
            parser.error(f"no server {name!r}; there are {', '.join(known)}")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: at least 1")
    if options.seconds is not None and options.seconds <= 0:
        parser.error("--seconds: more than 0")
    return options


def wanted(options, name):
    return not options.cell or name in options.cell


def chosen_cells(options):
    return [cell for cell in cells.ALL if wanted(options, cell.name) and (cell.quick or options.cell or not options.quick)]


def present(options):
    """The peers that can be started; a missing one is said, not fatal."""
    found = []
    for peer in peers.PEERS:
        if options.server and peer.name not in options.server:
            continue
        if peer.path(options.bin):
            found.append(peer)
        else:
            progress(f"{peer.name}: {peer.program} is missing, left out")
    return found


def measure_cell(cell, options, available, tools, failures):
    """{peer: [Sample per round]}"""
    samples, rates = {}, {}
    with ExitStack() as stack:
        servers = {}
        for peer in available:
            server = stack.enter_context(peer.start(tools.bin, tools.certificate if cell.tls else None))
            if peer.name in cells.EVERYBODY and not cell.tls:
                wire.open_connection(server.port).close()  # its answer, read back byte for byte
            servers[peer] = server
        for number in range(1, options.rounds + 1):
            for peer, server in list(servers.items()):
                try:
                    sample = loads.run(peer, server, cell, options.seconds, rates.get(peer), tools)
                except LoadFailed as failure:
                    failures.append(f"{cell.name}, {peer.name}: {str(failure).splitlines()[0]}")
                    progress(f"{cell.name} {peer.name}: FAILED: {failure}")
                    del servers[peer]
                    continue
                rates[peer] = sample.per_second
                samples.setdefault(peer.name, []).append(dataclasses.asdict(sample))
                progress(f"{cell.name} round {number} {peer.name}: {sample.per_second:,.0f}/s, {sample.server_us:.2f} µs")
    return {name: rounds for name, rounds in samples.items() if len(rounds) == options.rounds}


def count_cell(cell, available, tools, with_system_calls, failures):
    """{peer: {"system_calls": per operation, "allocations": per operation}}"""
    found = {}
    for peer in available:
        certificate = tools.certificate if cell.tls else None
        try:
            found[peer.name] = {
                "system_calls": counts.system_calls(peer, cell, tools, certificate) if with_system_calls else None,
                "allocations": counts.allocations(peer, cell, tools, certificate),
            }
        except LoadFailed as failure:
            failures.append(f"counts of {cell.name}, {peer.name}: {str(failure).splitlines()[0]}")
    return found


def measure_cells(options, available, tools, document):
    with_system_calls = not options.no_counts and counts.can_count_system_calls()
    if not with_system_calls and not options.no_counts:
        progress("system calls aren't counted: perf is missing, or may not trace")
    for cell in chosen_cells(options):
        offering = [peer for peer in available if peer.offers(cell)]
        measured = measure_cell(cell, options, offering, tools, document["failures"])
        if measured:
            document["cells"][cell.name] = measured
        # A quick run counts where targets want it.
        if not options.no_counts and (not options.quick or cell is cells.BASE):
            counted = [peer for peer in offering if peer.name in measured]
            document["counts"][cell.name] = count_cell(cell, counted, tools, with_system_calls, document["failures"])


def measure_memory(options, available, tools, document):
    for peer in available:
        if wanted(options, "idle") and peer.name in cells.EVERYBODY:
            size = memory.idle_connection_bytes(peer.command(options.bin), options.connections)
            document["idle_bytes"][peer.name] = size
            progress(f"idle {peer.name}: {size:,.0f} bytes per connection")
        if wanted(options, "streams") and peer.name in peers.GRPC:
            size = memory.open_stream_bytes(peer.command(options.bin), options.bin / "bench_gaggle_load",
                                            min(options.connections, 10_000))
            document["stream_bytes"][peer.name] = size
            progress(f"streams {peer.name}: {size:,.0f} bytes per open stream")


def write_results(options, document):
    options.results.mkdir(exist_ok=True)
    (options.results / f"{options.name}.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    text = report.markdown(document)
    for name, svg in plots.all_plots(document).items():
        file = f"{options.name}-{name}.svg"
        (options.results / file).write_text(svg)
        text += f"\n![{name}]({file})\n"
    (options.results / f"{options.name}.md").write_text(text)
    print(text)


def missed(document):
    sentences = [f"target missed: {target.says}: " + ("not measured" if value is None else f"{value:.3g}")
                 for target, value in targets.outcomes(document) if value is None or not target.met(value, target.limit)]
    return sentences + [f"hole: {sentence}" for sentence in targets.holes(document)]


def measure(options, scratch):
    document = {"setting": setting.describe(options), "cells": {}, "counts": {}, "latency": {}, "overload": {},
                "idle_bytes": {}, "stream_bytes": {}, "failures": []}
    tools = loads.Tools(options.bin.resolve(), scratch, peers.make_certificate(scratch))
    available = present(options)
    begin = time.monotonic()
    measure_cells(options, available, tools, document)
    document["latency"], document["overload"] = latency.measure_all(
        lambda name: wanted(options, name), available, QUICK_LATENCY if options.quick else cells.LATENCY,
        options.seconds, 1 if options.quick else 3, tools, document["failures"], progress)
    measure_memory(options, available, tools, document)
    document["setting"]["took"] = f"{(time.monotonic() - begin) / 60:.1f} minutes"
    return document


def main():
    options = parse_arguments()
    if options.list:
        for cell in cells.ALL:
            print(f"{cell.name:26} {cell.shape}")
        print(f"also: {', '.join(OTHER_PARTS)}\nservers: {', '.join(peer.name for peer in peers.PEERS)}")
        return 0
    if os.cpu_count() < 2:
        sys.exit("the benchmark needs two cores: one serves, one makes the load")
    process.allow_descriptors(20_000)
    with tempfile.TemporaryDirectory(prefix="gaggle-bench-") as scratch:
        document = measure(options, Path(scratch))
    write_results(options, document)
    sentences = missed(document) if options.check else []
    for sentence in sentences:
        print(sentence)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
