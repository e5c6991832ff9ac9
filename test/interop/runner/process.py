# SPDX-License-Identifier: Apache-2.0
"""Programs that run for a while, what they need, and where their files are."""

import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
NAME = "foo.test.google.fr"  # in the certificates of all interoperability tests

BUILD_SECONDS = 900  # to fetch and build one peer
RUN_SECONDS = 300  # for all that is run with one peer, both directions, plain and TLS


class Missing(Exception):
    """A tool that isn't there. `nowhere`: Debian 12 has none that is new enough."""

    def __init__(self, what, nowhere=False):
        super().__init__(what)
        self.nowhere = nowhere


class TooLong(Exception):
    """The time of a peer is up. Raised by an alarm, wherever the main thread is."""


class Unfetched(Exception):
    """What a peer consists of couldn't be fetched."""


@contextlib.contextmanager
def limit(seconds, what):
    """At most so long for the block, whatever it waits for. Within another limit, that one is counted on after it."""

    def ring(*_):
        raise TooLong(f"no end of {what} after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    rest, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if rest:
            signal.setitimer(signal.ITIMER_REAL, max(rest, 0.01))


def end(process):
    """Ends a program of ours and all that it has started, which are a session of their own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run(command, seconds, started=lambda process: None, **more):
    """Runs a program to its end: (exit code, output of both kinds). A code of None: it had to be ended.

    `started` is told of the process.
    """
    more.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", start_new_session=True, **more)
    try:
        started(process)
        out, _ = process.communicate(timeout=seconds)
        return process.returncode, out
    except subprocess.TimeoutExpired:
        end(process)
        out, _ = process.communicate(timeout=10)
        return None, out
    except TooLong as late:
        end(process)
        out, _ = process.communicate(timeout=10)
        raise TooLong(f"{late}; {pathlib.Path(command[0]).name} was under way, and said:\n{out[-2000:]}") from None
    except BaseException:
        end(process)
        raise


class Server:
    def __init__(self, process, port, log):
        self.process, self.port, self.log = process, port, log

    def stop(self):
        """Whether it was still alive, and ended when it was asked to."""
        if self.process.poll() is not None:
            return False
        self.process.terminate()
        # Looked at, but not waited for: as long as it isn't, its number is its own, and killpg hits nobody else.
        life = os.pidfd_open(self.process.pid)
        ended = bool(select.select([life], [], [], 10)[0])
        os.close(life)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return ended

    def tail(self, characters=1500):
        return self.log.read_text(errors="replace")[-characters:]


class Setting:
    """Our programs, the cache of built peers (build/interop), a temporary folder, certificates.

    `build_seconds` is what was needed for building so far.
    """

    def __init__(self, bin_dir):
        self.bin = bin_dir.resolve()
        self.cache = ROOT / "build" / "interop"
        self.cache.mkdir(parents=True, exist_ok=True)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="gaggle-interop-"))
        self.servers, self.started = [], 0
        self.build_seconds = 0.0
        self._certificates = None
        self._not_built = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_servers()
        shutil.rmtree(self.work, ignore_errors=True)

    def stop_servers(self):
        """Whatever still runs, also when its peer was given up."""
        while self.servers:
            end(self.servers.pop().process)

    def start(self, command, port=None, seconds=60, **more):
        """Starts a server, and waits until it listens: on `port`, or on the one that it says."""
        self.started += 1
        log = self.work / f"server-{self.started}.log"
        with log.open("wb") as out:
            more.setdefault("stdin", subprocess.DEVNULL)
            process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=out, start_new_session=True,
                                       **more)
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

    def keep(self, name, **texts):
        """Writes what programs printed to build/interop/logs, and gives the pattern of the names."""
        logs = self.cache / "logs"
        logs.mkdir(exist_ok=True)
        for kind, text in texts.items():
            (logs / f"{name}.{kind}.log").write_text(text)
        return f"{logs.relative_to(ROOT)}/{name}.*.log"

    def certificates(self):
        """A folder with ca.pem, server1.pem, server1.key; the server is called NAME, localhost, 127.0.0.1."""
        if self._certificates is None:
            need("openssl")
            folder = self.work / "certificates"
            folder.mkdir()
            (folder / "server.ext").write_text(
                f"subjectAltName=DNS:{NAME},DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
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
        """The folder `name` of the cache, filled by build(folder) when `inputs` (files) have changed.

        What couldn't be built isn't tried again for the next peer that needs it.
        """
        if name in self._not_built:
            raise self._not_built[name]
        folder, stamp = self.cache / name, self.cache / f"{name}.inputs"
        wanted = b"".join(path.read_bytes() for path in inputs)
        if not stamp.exists() or stamp.read_bytes() != wanted:
            stamp.unlink(missing_ok=True)
            if folder.is_file():
                folder.unlink()  # of an older layout of the cache
            if not incremental:
                shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            begin = time.monotonic()
            try:
                with limit(BUILD_SECONDS, f"building {name}"):
                    build(folder)
            except Exception as error:
                self._not_built[name] = error
                raise
            finally:
                self.build_seconds += time.monotonic() - begin
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


# What go, pip, npm, cargo and Maven say when they can't reach what they fetch from.
UNREACHABLE = re.compile(
    r"could(n't| not) (resolve|connect|transfer)|no such host|dial tcp|connection refused|network is unreachable|"
    r"temporary failure in name resolution|name or service not known|failed to establish a new connection|"
    r"no matching distribution|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|failed to download|unknown host|"
    r"proxyconnect|module lookup disabled|no plugin found for prefix|could not be resolved", re.IGNORECASE)


def build_command(command, **more):
    """A step of building a peer; its output matters only when it fails."""
    code, out = run(command, BUILD_SECONDS, **more)
    if code == 0:
        return
    said = UNREACHABLE.search(out)
    if said:
        line = next(line for line in out.splitlines() if said[0] in line)
        raise Unfetched(f"{pathlib.Path(command[0]).name} couldn't fetch its packages; is there no network?\n"
                        f"{line.strip()[:500]}")
    words = " ".join(map(str, command))
    raise RuntimeError(f"a step of building failed: {words}\n{out[-3000:]}")


def environment(**more):
    return {**os.environ, **{key: str(value) for key, value in more.items()}}
