# SPDX-License-Identifier: Apache-2.0
"""What idle connections and idle open streams cost a server in memory."""

import subprocess
import time

from . import process, wire

QUIET_SECONDS = 1.0
STREAM_CONNECTIONS = 100


def idle_connection_bytes(command, connections):
    """Growth of the server's memory per connection on which one call has been made, after a second of quiet."""
    process.allow_descriptors(connections + 1000)
    with process.ServerProcess(command) as server:
        opened = [wire.open_connection(server.port)]  # what the first call allocates once is not a connection's cost
        before = server.memory_bytes()
        try:
            opened += [wire.open_connection(server.port) for _ in range(connections)]
            time.sleep(QUIET_SECONDS)
            return (server.memory_bytes() - before) / connections
        finally:
            for connection in opened:
                connection.close()


def open_stream_bytes(command, load_program, streams=10_000):
    """Memory per open bidirectional stream on which one message has gone there and back, after a second of quiet.

    The difference between a server with all streams and one with a stream on each of the same connections.
    """
    each = streams // STREAM_CONNECTIONS
    many = _memory_with_streams(command, load_program, each)
    few = _memory_with_streams(command, load_program, 1)
    return (many - few) / (STREAM_CONNECTIONS * (each - 1))


def _memory_with_streams(command, load_program, streams_each):
    with process.ServerProcess(command) as server:
        load = [load_program, "--kind", "hold", "--port", server.port, "--connections", STREAM_CONNECTIONS,
                "--streams", streams_each]
        with subprocess.Popen(process.pinned(process.LOAD_CORE, load), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as holder:
            said = holder.stdout.readline().strip()
            if said != "held":
                raise RuntimeError(f"the streams couldn't be opened: {said!r}")
            time.sleep(QUIET_SECONDS)
            held = server.memory_bytes()
            holder.stdin.close()
            return held
