# SPDX-License-Identifier: Apache-2.0
"""What the figures have to be, each as a ratio within one run or as a plain size."""

from dataclasses import dataclass
from typing import Callable

from .cells import OURS
from .samples import spread

KIB = 1024


@dataclass(frozen=True)
class Target:
    says: str
    limit: float
    aim: float
    measure: Callable  # (document) -> a number or None when it wasn't measured
    at_least: bool = False

    def met(self, value, limit):
        return value >= limit if self.at_least else value <= limit


def paired(document, cell, ours, other, key, other_cell=None):
    """Median of ours over the other's, round by round, so that a disturbance of one round can't make it."""
    samples = document["cells"]
    mine = samples.get(cell, {}).get(ours)
    theirs = samples.get(other_cell or cell, {}).get(other)
    if not mine or not theirs:
        return None
    return spread([key(a) / key(b) for a, b in zip(mine, theirs)])["median"]


def _server_us(sample):
    return sample["server_us"]


def _rate(sample):
    return sample["per_second"]


def _p50(sample):
    return sample["latency_us"]["p50"]


def cpu(cell, peer, ours=OURS, other_cell=None):
    return lambda document: paired(document, cell, ours, peer, _server_us, other_cell)


def rate(cell, peer):
    return lambda document: paired(document, cell, OURS, peer, _rate)


def _goodput(document):
    found = document["overload"].get(OURS)
    return found["overloaded"]["1000"] / found["peak"] if found and found["peak"] else None


def _tail(document):
    reports = document["latency"].get("base-own", {}).get(OURS, {}).get("70%")
    if not reports:
        return None
    return spread([r["latency_us"]["p99"] / max(r["latency_us"]["p50"], 0.01) for r in reports])["median"]


def _size(what):
    return lambda document: document[what][OURS] / KIB if OURS in document[what] else None


def _allocations(document):
    return document["counts"].get("base", {}).get(OURS, {}).get("allocations")


TARGETS = (
    Target("server CPU per call, base, against grpc++ CQ", 1 / 25, 1 / 40, cpu("base", "grpc++ CQ")),
    Target("the same against nghttp2", 0.35, 0.22, cpu("base", "nghttp2")),
    Target("the same against grpc-go", 1 / 8, 1 / 15, cpu("base", "grpc-go")),
    Target("the same against tonic", 1 / 8, 1 / 15, cpu("base", "tonic")),
    Target("the same against Redis GET", 1.6, 1.0, cpu("base", "Redis")),
    Target("calls per second, own client and server, against grpc++'s", 25, 40, rate("pair", "grpc++ CQ"), True),
    Target("median latency 1×1 against raw TCP", 1.25, 1.10,
           lambda document: paired(document, "ping-pong", OURS, "raw TCP", _p50)),
    Target("messages per second on one stream, own clients, against grpc++", 20, 40, rate("pair-chat", "grpc++ CQ"), True),
    Target("bytes per second, 1 MiB messages, against raw TCP", 0.6, 0.85, rate("bulk-1m", "raw TCP"), True),
    Target("server CPU per call, TLS against plain", 1.6, 1.3, cpu("tls", OURS, OURS, "base")),
    Target("KiB per idle connection", 2, 1, _size("idle_bytes")),
    Target("KiB per idle open stream", 1.5, 0.8, _size("stream_bytes")),
    # What ten new connections need is in the count, spread over all calls.
    Target("allocations per call, server", 0.005, 0.005, _allocations),
    Target("answers within 1 s at three times the bearable rate, against the most there can be", 0.95, 0.98, _goodput, True),
    Target("p99 ÷ p50 at 70 % load", 3, 2, _tail),
    Target("server CPU per call, two loops against one", 1.1, 1.03, cpu("two-loops", OURS, "gaggle, 2 loops")),
    Target("server CPU per GroupCache/Get, through the cache against bare", 1.25, 1.1, cpu("get", OURS, "gaggle cache")),
)


def outcomes(document):
    """[(target, value or None)]"""
    return [(target, target.measure(document)) for target in TARGETS]


def holes(document):
    """A sentence for each cell in which grpc++ was faster than we are."""
    found = []
    for cell, servers in document["cells"].items():
        for peer in ("grpc++ CQ", "grpc++ callback"):
            for what, key, worse in (("CPU per operation", _server_us, lambda ratio: ratio > 1),
                                     ("operations per second", _rate, lambda ratio: ratio < 1)):
                ratio = paired({"cells": {cell: servers}}, cell, OURS, peer, key)
                if ratio is not None and worse(ratio):
                    found.append(f"{cell}: {ratio:.2f} of {peer}'s {what}")
    return found
