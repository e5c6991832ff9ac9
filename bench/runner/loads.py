# SPDX-License-Identifier: Apache-2.0
"""The load that a cell asks for, against one server."""

import csv
import io
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import cells, h2load, process
from .samples import LoadFailed, Sample

WARM_UP_SHARE = 0.2  # of the measured time, before each measured run
FIRST_CALLS = 3000
LONG_RUN_BYTES = 512 << 20  # a run that moves so much at least is long enough without a warm-up

# What HTTP/2 and gRPC put around a payload in steady state, for raw TCP's messages of the same size: HEADERS with a
# block of indices, DATA with prefix and field; the answer has trailers, too. h2load's counters say the same.
REQUEST_OVERHEAD_BYTES = 9 + 6 + 9 + 5 + 2
RESPONSE_OVERHEAD_BYTES = 9 + 2 + 9 + 5 + 2 + 9 + 1


@dataclass(frozen=True)
class Tools:
    """Where things are during a run."""

    bin: Path
    scratch: Path
    certificate: tuple


def own_load(program, server, cell, seconds, warm_up, tools, rate=0, **more):
    """Runs one of our load programs; what it printed."""
    flags = {"port": server.port, "server-pid": server.pid, "kind": cell.kind, "connections": cell.connections,
             "streams": cell.streams, "payload": cell.payload, "messages": cell.messages, "window": cell.window,
             "seconds": seconds, "warm-up": warm_up, "rate": rate, "timeout-ms": cell.timeout_ms,
             "errors-per-mille": cell.errors_per_mille, **more}
    if cell.tls:
        flags["ca"] = tools.certificate[0]
    command = [tools.bin / program]
    for name, value in flags.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(process.pinned(process.LOAD_CORE, command), capture_output=True, text=True,
                          timeout=60 + 5 * seconds, check=False)
    if done.returncode != 0:
        raise LoadFailed(f"{program} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def _sample(report):
    operations = report["operations"]
    if operations == 0:
        raise LoadFailed(f"nothing was answered in {report['seconds']} s")
    return Sample(operations, operations / report["seconds"], report["server_cpu_ns"] / 1000 / operations,
                  report["load_cpu_ns"] / 1000 / operations, report["latency_us"])


def _redis(server, cell, calls, seed=False):
    """redis-benchmark's GET, pipelined as deep as the cell has streams."""
    command = ["redis-benchmark", "-p", server.port, "-t", "set" if seed else "get", "-n", calls, "-d", cell.payload,
               "-c", 1 if seed else cell.connections, "-P", 1 if seed else cell.streams, "--csv"]
    before = server.cpu_ns()
    begin = time.monotonic()
    done = subprocess.run(process.pinned(process.LOAD_CORE, command), capture_output=True, text=True, timeout=120,
                          check=True)
    seconds, cpu_ns = time.monotonic() - begin, server.cpu_ns() - before
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    if not rows:
        raise LoadFailed(f"redis-benchmark said {done.stdout!r}")
    return Sample(calls, float(rows[0].get("rps") or calls / seconds), cpu_ns / 1000 / calls, 0.0)


def _counted(run_calls, rate, seconds, warm_up, cell):
    """For generators that want a number of calls instead of a time."""
    heavy = cell.in_flight * cell.payload >= LONG_RUN_BYTES
    if rate is None and not heavy:
        rate = run_calls(FIRST_CALLS).per_second
    if warm_up and not heavy:
        run_calls(int(rate * warm_up) + 1)
    return run_calls(int((rate or 0) * seconds) + 1)


def run(peer, server, cell, seconds, rate, tools, warm_up_share=WARM_UP_SHARE):
    """One measured run; `rate`: what the last one gave, None for the first."""
    warm_up = seconds * warm_up_share
    if peer.name == "raw TCP":
        sizes = {"payload": cell.payload + REQUEST_OVERHEAD_BYTES, "response-bytes": cell.payload + RESPONSE_OVERHEAD_BYTES}
        return _sample(own_load("bench_tcp_load", server, cell, seconds, warm_up, tools, **sizes))
    if peer.name == "Redis":
        if rate is None:
            _redis(server, cell, 1, seed=True)
        return _counted(lambda calls: _redis(server, cell, calls), rate, seconds, warm_up, cell)
    if cell.load == "h2load":
        return _counted(lambda calls: h2load.run(server, cell, calls, tools.scratch), rate, seconds, warm_up, cell)
    program = "bench_grpc_load" if cell.load == "pair" and peer.name != cells.OURS else "bench_gaggle_load"
    more = {"busy-poll-us": peer.busy_poll_us} if peer.busy_poll_us else {}
    return _sample(own_load(program, server, cell, seconds, warm_up, tools, **more))
