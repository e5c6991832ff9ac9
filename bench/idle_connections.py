#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory that an idle connection costs a server: one call on each of many connections, quiet, then its memory.

    idle_connections.py [--connections N] [--at-most BYTES] SERVER [ARGUMENT...]

What counts is the growth of the process's own memory (Pss); the kernel's socket buffers are not in it.
"""

import argparse
import sys
import time

import process
import wire

QUIET_SECONDS = 1.0


def measure(command, connections):
    """Bytes per idle connection of the server that `command` starts."""
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--at-most", type=int, metavar="BYTES", help="fail when a connection costs more")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="SERVER")
    arguments = parser.parse_args()
    bytes_each = measure(arguments.command, arguments.connections)
    print(f"{bytes_each:,.0f} bytes per idle connection ({arguments.connections:,} connections)")
    return 1 if arguments.at_most is not None and bytes_each > arguments.at_most else 0


if __name__ == "__main__":
    sys.exit(main())
