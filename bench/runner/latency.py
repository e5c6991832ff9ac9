# SPDX-License-Identifier: Apache-2.0
"""Latency at a constant rate, and what is left of a server that gets more than it can bear."""

from dataclasses import replace

from . import cells, loads, peers
from .samples import LoadFailed

SHARES = (0.5, 0.7, 0.9)  # of the greatest rate
BURN_US = 20
OVERLOAD = 3  # times the greatest rate
OVERLOAD_SECONDS = 2  # at least: several times what the queue takes
OVERLOAD_TIMEOUTS_MS = (1000, 100)  # the queue of all calls in flight takes some 200 ms: with the second, some must expire
# The handler's work alone fills the core; more connections, so that the queue is the server's, not the generator's.
PEAK_CELL = replace(cells.BASE, name="overload", connections=10, streams=10, load="own")
OVERLOAD_CELL = replace(PEAK_CELL, connections=100, streams=100)


def at_constant_rates(peer, cell, seconds, rounds, tools, certificate):
    """{share: [report per round]}; the greatest rate is measured beforehand, in a closed loop."""
    reports = {}
    with peer.start(tools.bin, certificate) as server:
        most = loads.own_load("bench_gaggle_load", server, cell, seconds, seconds / 2, tools)["good_per_second"]
        for _ in range(rounds):
            for share in SHARES:
                report = loads.own_load("bench_gaggle_load", server, cell, seconds, seconds / 4, tools,
                                        rate=most * share)
                reports.setdefault(f"{share:.0%}", []).append(report)
    return reports


def overload(peer, seconds, tools):
    """Answers per second: the most there can be, and those in time at three times that rate, by timeout in ms."""
    seconds = max(seconds, OVERLOAD_SECONDS)
    with peer.start(tools.bin) as server:
        def good(cell, rate=0):
            return loads.own_load("bench_gaggle_load", server, cell, seconds, seconds / 2, tools, rate=rate,
                                  **{"burn-us": BURN_US, "keep-going": 1})["good_per_second"]

        peak = good(PEAK_CELL)
        return {"peak": peak, "overloaded": {str(timeout): good(replace(OVERLOAD_CELL, timeout_ms=timeout), OVERLOAD * peak)
                                             for timeout in OVERLOAD_TIMEOUTS_MS}}


def measure_all(wanted, available, latency_cells, seconds, rounds, tools, failures, progress):
    """({cell: {peer: {share: reports}}}, {peer: overload})"""
    latency, overloads = {}, {}
    for peer in available:
        if peer.name not in peers.GRPC:
            continue
        for cell in latency_cells:
            if not wanted(f"latency-{cell.name}"):
                continue
            try:
                certificate = tools.certificate if cell.tls else None
                found = at_constant_rates(peer, cell, seconds, rounds, tools, certificate)
            except LoadFailed as failure:
                failures.append(f"latency {cell.name}, {peer.name}: {str(failure).splitlines()[0]}")
                progress(f"latency {cell.name} {peer.name}: FAILED: {failure}")
                continue
            latency.setdefault(cell.name, {})[peer.name] = found
            progress(f"latency {cell.name} {peer.name}: " + ", ".join(
                f"p99 {reports[0]['latency_us']['p99']:,.0f} µs at {share}" for share, reports in found.items()))
        if wanted("overload"):
            try:
                overloads[peer.name] = overload(peer, seconds, tools)
            except LoadFailed as failure:
                failures.append(f"overload, {peer.name}: {str(failure).splitlines()[0]}")
            progress(f"overload {peer.name}: {overloads.get(peer.name, 'FAILED')}")
    return latency, overloads
