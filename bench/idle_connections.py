#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory that an idle connection costs a server: one call on each of many connections, quiet, then its memory.

    idle_connections.py [--connections N] [--at-most BYTES] SERVER [ARGUMENT...]

What counts is the growth of the process's own memory (Pss); the kernel's socket buffers are not in it.
"""

import argparse
import sys

from runner import memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--at-most", type=int, metavar="BYTES", help="fail when a connection costs more")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="SERVER")
    arguments = parser.parse_args()
    bytes_each = memory.idle_connection_bytes(arguments.command, arguments.connections)
    print(f"{bytes_each:,.0f} bytes per idle connection ({arguments.connections:,} connections)")
    return 1 if arguments.at_most is not None and bytes_each > arguments.at_most else 0


if __name__ == "__main__":
    sys.exit(main())
