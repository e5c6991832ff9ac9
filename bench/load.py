# SPDX-License-Identifier: Apache-2.0
"""One measured run of h2load against one server, and the proof that its answers were right."""

import re
import subprocess
from dataclasses import dataclass

import process
import wire


@dataclass(frozen=True)
class Shape:
    connections: int
    streams: int

    def __str__(self):
        return f"{self.connections}x{self.streams}"


@dataclass(frozen=True)
class Sample:
    calls: int
    calls_per_second: float
    cpu_us_per_call: float


class LoadFailed(Exception):
    """h2load ended badly, or counted other answers than those expected."""


def _number(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise LoadFailed(f"h2load's output lacks {pattern!r}:\n{text}")
    return int(found[1])


def _seconds(text):
    found = re.search(r"finished in ([0-9.]+)(us|ms|s|m)", text)
    if not found:
        raise LoadFailed(f"h2load's output lacks its duration:\n{text}")
    return float(found[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}[found[2]]


def _check_answers(text, calls):
    """Every call has status 200 and the right number of bytes (h2load doesn't see gRPC's status; a failed call
    has no message)."""
    succeeded = _number(r"(\d+) succeeded", text)
    good = _number(r"status codes: (\d+) 2xx", text)
    data_bytes = _number(r"\((\d+)\) data", text)
    if succeeded != calls or good != calls or data_bytes != calls * len(wire.RESPONSE_BODY):
        raise LoadFailed(f"{calls} calls: {succeeded} succeeded, {good} with status 2xx, {data_bytes} bytes of "
                         f"messages instead of {calls * len(wire.RESPONSE_BODY)}:\n{text}")


def run(server, shape, calls, body_file):
    """Makes exactly `calls` calls in the given shape, pinned to the load's core."""
    calls = max(calls, shape.connections * shape.streams)
    command = ["taskset", "-c", str(process.LOAD_CORE), "h2load", "-n", str(calls), "-c", str(shape.connections),
               "-m", str(shape.streams), "-t", "1", "-d", body_file, "-H", "content-type: application/grpc",
               "-H", "te: trailers", f"http://127.0.0.1:{server.port}{wire.PATH}"]
    cpu_before = server.cpu_ns()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    cpu_ns = server.cpu_ns() - cpu_before
    if done.returncode != 0:
        raise LoadFailed(f"h2load ended with {done.returncode}: {done.stdout}{done.stderr}")
    _check_answers(done.stdout, calls)
    return Sample(calls, calls / _seconds(done.stdout), cpu_ns / 1000 / calls)
