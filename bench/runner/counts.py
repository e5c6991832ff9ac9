# SPDX-License-Identifier: Apache-2.0
"""System calls and allocations of a server per operation, in short runs of their own: counting costs time."""

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import loads, process

SECONDS = 0.2
EVENT = "raw_syscalls:sys_enter"


def can_count_system_calls():
    """Whether perf is here and may trace; a machine may forbid it."""
    if not shutil.which("perf"):
        return False
    return subprocess.run(["perf", "stat", "-e", EVENT, "true"], capture_output=True, check=False).returncode == 0


def system_calls(peer, cell, tools, certificate):
    """Of the server per operation, by perf's tracepoint."""
    with peer.start(tools.bin, certificate) as server:
        rate = loads.run(peer, server, cell, SECONDS, None, tools).per_second
        with tempfile.NamedTemporaryFile(prefix="gaggle-perf-") as counted:
            command = ["perf", "stat", "-x", ",", "-e", EVENT, "-o", counted.name, "-p", str(server.pid)]
            with subprocess.Popen(process.pinned(process.LOAD_CORE, command)) as perf:
                time.sleep(0.1)  # until it has attached itself
                sample = loads.run(peer, server, cell, SECONDS, rate, tools, warm_up_share=0)
                perf.send_signal(signal.SIGINT)
            for line in Path(counted.name).read_text(encoding="utf-8").splitlines():
                if EVENT in line and line.split(",")[0].isdigit():
                    return int(line.split(",")[0]) / sample.operations
    return None


def allocations(peer, cell, tools, certificate):
    """Of the server per operation in steady state, by a preloaded counter: what a longer run allocates more than a
    shorter one. None for a program with an allocator of its own, except Go's, which tells them itself."""
    if peer.name == "Redis":
        return None
    with tempfile.NamedTemporaryFile(prefix="gaggle-allocations-") as counter:
        counter.write(bytes(8))
        counter.flush()
        environment = {"GAGGLE_BENCH_ALLOCATIONS": counter.name}
        if peer.name != "grpc-go":
            environment["LD_PRELOAD"] = str(tools.bin / "bench_allocations.so")

        def read():
            time.sleep(0.05)  # Go writes every 20 ms
            return int.from_bytes(Path(counter.name).read_bytes()[:8], "little")

        with peer.start(tools.bin, certificate, environment) as server:
            def run(seconds, rate):
                before = read()
                sample = loads.run(peer, server, cell, seconds, rate, tools, warm_up_share=0)
                return read() - before, sample.operations

            rate = loads.run(peer, server, cell, SECONDS, None, tools).per_second
            few, fewer = run(SECONDS / 4, rate)
            many, more = run(SECONDS, rate)
            # Runs that are as long as one another by their size: connections count along.
            return max(0, many - few) / (more - fewer) if more > fewer else many / more
