#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Streams over a long way: downloads of 16 KiB messages through a relay that keeps every byte for half a round trip.

    far.py --bin DIRECTORY [--round-trip-ms N] [--seconds N]

What counts is how much may be on its way: a window of 256 KiB lets 6.5 MB/s through 40 ms. Client and server are of
the same library. The relay moves a few hundred MB/s at most, and says without delay how many.
"""

import argparse
import queue
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from runner import cells, loads, peers

MOST_ON_THE_WAY = 64 << 20
CHUNK = 256 << 10


class Relay:
    """Passes connections on to a port; what comes leaves `delay` seconds later."""

    def __init__(self, port, delay):
        self.target, self.delay = port, delay
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.target))
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pass(near, far)
            self._pass(far, near)

    def _pass(self, source, sink):
        waiting = queue.Queue(MOST_ON_THE_WAY // CHUNK)

        def take():
            while True:
                try:
                    data = source.recv(CHUNK)
                except OSError:
                    data = b""
                waiting.put((time.monotonic() + self.delay, data))
                if not data:
                    return

        def give():
            while True:
                due, data = waiting.get()
                time.sleep(max(0.0, due - time.monotonic()))
                try:
                    if not data:
                        return sink.shutdown(socket.SHUT_WR)
                    sink.sendall(data)
                except OSError:
                    return None

        for work in (take, give):
            threading.Thread(target=work, daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--round-trip-ms", type=float, default=40)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    if options.round_trip_ms < 0 or options.seconds <= 0:
        parser.error("--round-trip-ms: not below 0; --seconds: more than 0")
    cell = replace(cells.BASE, connections=1, streams=1, kind="download", payload=16 << 10, messages=1_000_000, load="own")
    tools = SimpleNamespace(bin=options.bin.resolve(), certificate=None)
    print("| library | round trip | MB/s |\n|---|---:|---:|")
    for name, program in ((cells.OURS, "bench_gaggle_load"), ("grpc++ CQ", "bench_grpc_load")):
        peer = next(peer for peer in peers.PEERS if peer.name == name)
        for delay_ms in (0, options.round_trip_ms / 2):
            with peer.start(options.bin) as server:
                relay = Relay(server.port, delay_ms / 1000)
                through = SimpleNamespace(port=relay.port, pid=server.pid)
                report = loads.own_load(program, through, cell, options.seconds, options.seconds / 2, tools)
            rate = report["operations"] / report["seconds"] * cell.payload / 1e6
            print(f"| {name} | {2 * delay_ms:g} ms | {rate:,.1f} |", flush=True)


if __name__ == "__main__":
    main()
