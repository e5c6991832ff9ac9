# SPDX-License-Identifier: Apache-2.0
"""One measured run of h2load against one server, and the proof that its answers were right."""

import re
import resource
import subprocess

from . import process, wire
from .samples import LoadFailed, Sample


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


def _check_answers(text, calls, body_bytes):
    """Every call has status 200 and the right number of bytes (h2load doesn't see gRPC's status; a failed call
    has no message)."""
    succeeded = _number(r"(\d+) succeeded", text)
    good = _number(r"status codes: (\d+) 2xx", text)
    data_bytes = _number(r"\((\d+)\) data", text)
    if succeeded != calls or good != calls or data_bytes != calls * body_bytes:
        raise LoadFailed(f"{calls} calls: {succeeded} succeeded, {good} with status 2xx, {data_bytes} bytes of "
                         f"messages instead of {calls * body_bytes}:\n{text}")


def _children_cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(server, cell, calls, directory):
    """Makes exactly `calls` calls of the cell's shape, pinned to the load's core."""
    body = wire.payload_message(b"p" * cell.payload)
    body_file = directory / f"body-{cell.payload}"
    body_file.write_bytes(body)
    calls = max(calls, cell.in_flight)
    scheme = "https" if cell.tls else "http"
    command = ["h2load", "-n", str(calls), "-c", str(cell.connections), "-m", str(cell.streams), "-t", "1",
               "-d", str(body_file), "-H", "content-type: application/grpc", "-H", "te: trailers",
               f"{scheme}://127.0.0.1:{server.port}{wire.PATH}"]
    load_before, server_before = _children_cpu_seconds(), server.cpu_ns()
    done = subprocess.run(process.pinned(process.LOAD_CORE, command), capture_output=True, text=True, timeout=300,
                          check=False)
    server_ns, load_seconds = server.cpu_ns() - server_before, _children_cpu_seconds() - load_before
    if done.returncode != 0:
        raise LoadFailed(f"h2load ended with {done.returncode}: {done.stdout}{done.stderr}")
    _check_answers(done.stdout, calls, len(body))
    return Sample(calls, calls / _seconds(done.stdout), server_ns / 1000 / calls, load_seconds * 1e6 / calls)
