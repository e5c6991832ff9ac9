# SPDX-License-Identifier: Apache-2.0
"""The servers that are measured, how each is started, and which cells it has."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import cells, process

ALL_KINDS = ("unary", "chat", "download")


@dataclass(frozen=True)
class Peer:
    name: str
    program: str  # below the directory of binaries, or a program of the system
    threads: int = 1  # one core serves, so one thread; 0: the program has no such flag
    kinds: tuple = ALL_KINDS
    tls: bool = True
    plain_only: bool = False  # no TLS, no statuses
    cores: str = process.SERVER_CORE
    busy_poll_us: int = 0  # ours only: the server's loop and the generator's ask so long before they sleep

    def offers(self, cell):
        if self.name not in cell.peers or cell.kind not in self.kinds:
            return False
        return not (self.plain_only and (cell.tls or cell.errors_per_mille))

    def path(self, bin_directory):
        """Where the program is, or None."""
        built = bin_directory / self.program
        if built.exists():
            return built
        found = shutil.which(self.program)
        return Path(found) if found else None

    def start(self, bin_directory, certificate=None, environment=None):
        """A server that isn't running yet; `certificate`: (cert, key) for TLS."""
        if self.name == "Redis":
            port = process.free_port()
            command = [self.path(bin_directory), "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
            return process.ServerProcess([str(word) for word in command], self.cores, environment, port)
        command = self.command(bin_directory)
        if certificate:
            command += ["--cert", str(certificate[0]), "--key", str(certificate[1])]
        return process.ServerProcess(command, self.cores, environment)

    def command(self, bin_directory):
        command = [str(self.path(bin_directory))]
        if self.threads:
            command += ["--threads", str(self.threads)]
        if self.busy_poll_us:
            command += ["--busy-poll-us", str(self.busy_poll_us)]
        return command


PEERS = (
    Peer(cells.OURS, "bench_gaggle_server", kinds=ALL_KINDS + ("get",)),
    # grpc++ is slower on one core with a second thread on the completion queue.
    Peer("grpc++ CQ", "bench_grpc_cq_server"),
    Peer("grpc++ callback", "bench_grpc_callback_server", threads=0),
    Peer("grpc-go", "peers/grpc-go"),
    Peer("tonic", "peers/tonic"),
    Peer("nghttp2", "bench_nghttp2_server", threads=0, kinds=("unary",), plain_only=True),
    Peer("raw TCP", "bench_tcp_server", threads=0, kinds=("unary",), plain_only=True),
    Peer("Redis", "redis-server", threads=0, kinds=("unary",), plain_only=True),
    Peer("gaggle cache", "bench_gaggle_cache_server", kinds=("get",), plain_only=True),
    Peer("gaggle, polling", "bench_gaggle_server", busy_poll_us=1000),
    Peer("gaggle, 2 loops", "bench_gaggle_server", threads=2, cores=f"{process.SERVER_CORE},{process.LOAD_CORE}"),
)
GRPC = tuple(name for name in cells.EVERYBODY if name != "nghttp2")


def make_certificate(directory):
    """A certificate for localhost that vouches for itself: (certificate, key)."""
    certificate, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    return certificate, key
