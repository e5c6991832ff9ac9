# SPDX-License-Identifier: Apache-2.0
"""A benchmarked server as a child process: pinned, ready when it says its port, with its CPU time and memory."""

import os
import resource
import socket
import subprocess
import time

SERVER_CORE = "0"
LOAD_CORE = "1"


def allow_descriptors(count):
    """Raises this process's limit of open files, and so its children's, to at least `count`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))


def pinned(cores, command):
    return ["taskset", "-c", cores, *map(str, command)]


class ServerProcess:
    """Runs a server on its cores from `with` to its end.

    A server says "port N" when it's ready, or listens at `port`, given, if it's somebody else's program.
    """

    def __init__(self, command, cores=SERVER_CORE, environment=None, port=None):
        self.command = command
        self.cores = cores
        self.environment = {**os.environ, **(environment or {})}
        self.port = port

    def __enter__(self):
        says_port = self.port is None
        self.process = subprocess.Popen(pinned(self.cores, self.command), text=True, env=self.environment,
                                        stdout=subprocess.PIPE if says_port else subprocess.DEVNULL)
        try:
            if says_port:
                self._read_port()
            else:
                self._wait_for_port()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _read_port(self):
        words = self.process.stdout.readline().split()
        if len(words) != 2 or words[0] != "port":
            raise RuntimeError(f"{self.command[0]} did not say \"port N\" but {words}")
        self.port = int(words[1])

    def _wait_for_port(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f"{self.command[0]} doesn't listen at {self.port}") from None
                time.sleep(0.02)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    @property
    def pid(self):
        return self.process.pid  # taskset has become the server

    def cpu_ns(self):
        """User and system time of all threads, ended ones too, in ns: the process's CPU clock, not ticks."""
        clock_of_process = (~self.pid << 3) | 2  # clock_getcpuclockid(3); 2 = exact run time
        return time.clock_gettime_ns(clock_of_process)

    def memory_bytes(self):
        """Resident memory of the process, without what belongs to shared libraries' other users."""
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as rollup:
            for line in rollup:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError("smaps_rollup has no Pss")


def free_port():
    """A port that nobody listens at now, for programs that can't choose one themselves."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
