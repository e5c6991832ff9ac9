# SPDX-License-Identifier: Apache-2.0
"""What is measured: one factor at a time around 10×100 unary calls of 100 bytes, and thirty named corners."""

from dataclasses import dataclass, replace

KIB = 1 << 10
MIB = 1 << 20
MOST_BYTES_IN_FLIGHT = 1 << 30  # connections × streams × payload

OURS = "gaggle"
EVERYBODY = (OURS, "grpc++ CQ", "grpc++ callback", "grpc-go", "tonic", "nghttp2")
CORNERS_AGAINST = (OURS, "grpc++ CQ", "grpc++ callback")
LIMITS = ("raw TCP", "Redis")


@dataclass(frozen=True)
class Cell:
    """One load. `peers` are asked in this order; those that don't offer the cell are left out (peers.offers)."""

    name: str
    connections: int = 10
    streams: int = 100
    payload: int = 100
    kind: str = "unary"  # unary, chat, download, get
    load: str = "h2load"  # h2load or own; raw TCP and Redis have their own; "pair": each gRPC's own client
    tls: bool = False
    timeout_ms: int = 0
    errors_per_mille: int = 0
    messages: int = 100  # of a download
    window: int = 1  # messages in flight on a chat
    peers: tuple = EVERYBODY
    axis: str = ""  # which factor it varies, for the plots
    quick: bool = False  # whether --quick has it
    says: str = ""

    @property
    def in_flight(self):
        return self.connections * self.streams

    @property
    def shape(self):
        words = [f"{self.connections}×{self.streams}", self.kind, size_text(self.payload)]
        if self.kind == "chat" and self.window > 1:
            words.append(f"{self.window} in flight")
        if self.kind == "download":
            words.append(f"{self.messages} messages")
        words += ["TLS"] * self.tls + ["grpc-timeout"] * bool(self.timeout_ms)
        if self.errors_per_mille:
            words.append(f"{self.errors_per_mille / 10:g} % errors")
        return " ".join(words) + {"own": ", our client", "pair": ", own clients"}.get(self.load, "")


def size_text(count):
    if count >= MIB:
        return f"{count // MIB} MiB"
    return f"{count // KIB} KiB" if count >= KIB else f"{count} B"


BASE = Cell("base", axis="base", peers=EVERYBODY + LIMITS, quick=True, says="the cell around which all others vary")


def _one_factor_at_a_time():
    def vary(name, axis, **factor):
        return replace(BASE, name=name, axis=axis, says="", **{"peers": EVERYBODY, "quick": True, **factor})

    yield BASE
    for connections in (1, 100, 1000):
        yield vary(f"connections-{connections}", "connections", connections=connections, quick=connections < 1000)
    for streams in (1, 10):
        yield vary(f"streams-{streams}", "streams", streams=streams)
    for payload, name in ((0, "0"), (KIB, "1k"), (16 * KIB, "16k"), (64 * KIB, "64k"), (MIB, "1m")):
        yield vary(f"payload-{name}", "payload", payload=payload, quick=payload < 64 * KIB)
    yield vary("tls", "tls", tls=True)
    # h2load can't vary a header field from call to call, nor ask for streams: our own client, and the base with it.
    yield vary("base-own", "own", load="own", peers=EVERYBODY + ("raw TCP",))
    yield vary("chat", "kind", kind="chat", load="own")
    yield vary("download", "kind", kind="download", load="own")
    yield vary("timeout", "timeout", timeout_ms=10_000, load="own")
    yield vary("errors", "errors", errors_per_mille=10, load="own")


def _corners():
    def corner(name, connections, streams, payload=100, **more):
        return Cell(name, connections, streams, payload, **{"peers": CORNERS_AGAINST, **more})

    with_limits = CORNERS_AGAINST + ("nghttp2",) + LIMITS
    with_polling = CORNERS_AGAINST + ("gaggle, polling",)
    yield corner("ping-pong", 1, 1, load="own", quick=True, peers=with_polling + ("raw TCP",),
                 says="latency without company")
    yield corner("ping-pong-h2load", 1, 1, peers=with_limits)
    yield corner("one-connection", 1, 100, peers=with_limits)
    yield corner("ten-by-ten", 10, 10, peers=with_limits)
    yield corner("hundred-ones", 100, 1, says="nothing to batch on a connection")
    yield corner("thousand-ones", 1000, 1)
    yield corner("hundred-ones-tls", 100, 1, tls=True)
    yield corner("ping-pong-tls", 1, 1, tls=True, load="own")
    yield corner("ping-pong-1m", 1, 1, MIB, load="own", peers=CORNERS_AGAINST + ("raw TCP",))
    yield corner("bulk-1m", 10, 1, MIB, load="own", quick=True, peers=CORNERS_AGAINST + ("raw TCP",),
                 says="bytes per second")
    yield corner("bulk-1m-tls", 10, 1, MIB, tls=True, load="own")
    yield corner("bulk-64k-one-connection", 1, 100, 64 * KIB, load="own", says="beyond any default window")
    yield corner("bulk-16k-tls", 10, 10, 16 * KIB, tls=True, load="own")
    yield corner("empty-ping-pong", 1, 1, 0, load="own")
    yield corner("empty-thousand", 1000, 10, 0)
    yield corner("answers-16k", 100, 10, 16 * KIB)
    yield corner("chat-one", 1, 1, kind="chat", load="own", peers=with_polling)
    yield corner("chat-one-window", 1, 1, kind="chat", window=100, load="own", quick=True, peers=with_polling,
                 says="messages per second on one stream")
    yield corner("chat-one-connection", 1, 100, kind="chat", load="own")
    yield corner("chat-thousand", 1000, 1, kind="chat", load="own")
    yield corner("chat-1m", 1, 1, MIB, kind="chat", load="own")
    yield corner("chat-16k-window", 10, 10, 16 * KIB, kind="chat", window=4, load="own")
    yield corner("chat-tls", 10, 100, kind="chat", tls=True, load="own")
    yield corner("download-one", 1, 1, kind="download", load="own")
    yield corner("download-long", 1, 1, kind="download", messages=10_000, load="own")
    yield corner("download-1m", 1, 1, MIB, kind="download", messages=16, load="own")
    yield corner("download-16k", 10, 10, 16 * KIB, kind="download", load="own")
    yield corner("timeout-ping-pong", 1, 1, timeout_ms=10_000, load="own")
    yield corner("errors-only", 10, 100, errors_per_mille=1000, load="own")
    yield corner("everything", 10, 100, KIB, tls=True, timeout_ms=10_000, errors_per_mille=10, load="own")


def _comparisons():
    """Cells that exist for one target each."""
    both = (OURS, "grpc++ CQ")
    yield Cell("pair", load="pair", peers=both, quick=True, says="client and server of the same library")
    yield Cell("pair-chat", 1, 1, kind="chat", window=100, load="pair", peers=both)
    yield Cell("get", kind="get", load="own", peers=(OURS, "gaggle cache"), quick=True,
               says="GroupCache/Get: a bare handler, and through the cache")
    yield Cell("two-loops", 100, 10, peers=(OURS, "gaggle, 2 loops"), says="one loop, and two on both cores")


AXES = tuple(_one_factor_at_a_time())
CORNERS = tuple(_corners())
COMPARISONS = tuple(_comparisons())
ALL = AXES + CORNERS + COMPARISONS
# Open loop at shares of the greatest rate; our own client, so that latency counts from the intended send time.
LATENCY = (replace(BASE, name="base-own", load="own"),
           replace(BASE, name="hundred-ones", connections=100, streams=1, load="own"),
           replace(BASE, name="tls", tls=True, load="own"))
