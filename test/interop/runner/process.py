# SPDX-License-Identifier: Apache-2.0
"""Programs that run for a while, what they need, and where their files are."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
NAME = "foo.test.google.fr"  # in the certificates of all interoperability tests


class Missing(Exception):
    """A tool that isn't there. `nowhere`: Debian 12 has none that is new enough."""

    def __init__(self, what, nowhere=False):
        super().__init__(what)
        self.nowhere = nowhere


class Server:
    def __init__(self, process, port, log):
        self.process, self.port, self.log = process, port, log

    def stop(self):
        """Whether it was still alive."""
        alive = self.process.poll() is None
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False
        return alive

    def tail(self):
        return self.log.read_text(errors="replace")[-1500:]


class Setting:
    """Our programs, the cache of built peers (build/interop), a temporary folder, certificates."""

    def __init__(self, bin_dir):
        self.bin = bin_dir.resolve()
        self.cache = ROOT / "build" / "interop"
        self.cache.mkdir(parents=True, exist_ok=True)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="gaggle-interop-"))
        self.servers = []
        self._certificates = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.work, ignore_errors=True)

    def start(self, command, port=None, seconds=60, **more):
        """Starts a server, and waits until it listens: on `port`, or on the one that it says."""
        log = self.work / f"server-{len(self.servers)}.log"
        with log.open("wb") as out:
            more.setdefault("stdin", subprocess.DEVNULL)
            process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=out, **more)
        server = Server(process, port, log)
        self.servers.append(server)
        until = time.monotonic() + seconds
        while time.monotonic() < until and process.poll() is None:
            if server.port is None:
                said = re.search(r"listening on port (\d+)", log.read_text(errors="replace"))
                server.port = int(said[1]) if said else None
            if server.port is not None and answers(server.port):
                return server
            time.sleep(0.05)
        server.stop()
        raise RuntimeError(f"{pathlib.Path(command[0]).name} didn't start: {server.tail()}")

    def certificates(self):
        """A folder with ca.pem, server1.pem, server1.key; the server is called NAME, localhost, 127.0.0.1."""
        if self._certificates is None:
            need("openssl")
            folder = self.work / "certificates"
            folder.mkdir()
            (folder / "server.ext").write_text(
                f"subjectAltName=DNS:{NAME},DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
            quiet = {"cwd": folder, "check": True, "capture_output": True}
            key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
            subprocess.run(["openssl", "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
                            "-subj", "/CN=interop test CA", "-addext", "basicConstraints=critical,CA:TRUE",
                            "-addext", "keyUsage=critical,keyCertSign"], **quiet)
            subprocess.run(["openssl", "req", *key, "-keyout", "server1.key", "-out", "server1.csr",
                            "-subj", "/CN=server1"], **quiet)
            subprocess.run(["openssl", "x509", "-req", "-in", "server1.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                            "-CAcreateserial", "-days", "30", "-extfile", "server.ext", "-out", "server1.pem"],
                           **quiet)
            self._certificates = folder
        return self._certificates

    def built(self, name, inputs, build, incremental=False):
        """The folder `name` of the cache, filled by build(folder) when `inputs` (files) have changed."""
        folder, stamp = self.cache / name, self.cache / f"{name}.inputs"
        wanted = b"".join(path.read_bytes() for path in inputs)
        if not stamp.exists() or stamp.read_bytes() != wanted:
            stamp.unlink(missing_ok=True)
            if not incremental:
                shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            build(folder)
            stamp.write_bytes(wanted)
        return folder


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def need(tool, at_least=None, version_flag="--version", nowhere=False):
    """Raises Missing unless `tool` is on the PATH, in version `at_least` (a tuple) or newer."""
    wanted = tool + (" " + ".".join(map(str, at_least)) + " or newer" if at_least else "")
    if shutil.which(tool) is None:
        raise Missing(f"{wanted}, which isn't here", nowhere)
    if at_least is None:
        return
    said = subprocess.run([tool, version_flag], capture_output=True, text=True, check=False)
    number = re.search(r"(\d+)\.(\d+)", said.stdout + said.stderr)
    if not number or tuple(map(int, number.groups())) < at_least:
        raise Missing(f"{wanted}; here is {number[0] if number else 'one that does not say'}", nowhere)


def build_command(command, **more):
    """A step of building a peer; its output matters only when it fails."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout[-3000:]}")


def environment(**more):
    return {**os.environ, **{key: str(value) for key, value in more.items()}}
