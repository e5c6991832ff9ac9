# SPDX-License-Identifier: Apache-2.0
"""A benchmarked server as a child process: pinned, ready when it says its port, with its CPU time and memory."""

import resource
import subprocess
import time

SERVER_CORE = 0
LOAD_CORE = 1


def allow_descriptors(count):
    """Raises this process's limit of open files, and so its children's, to at least `count`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))


class ServerProcess:
    """Runs a server on SERVER_CORE from `with` to its end."""

    def __init__(self, command):
        self.command = command

    def __enter__(self):
        pinned = ["taskset", "-c", str(SERVER_CORE), *self.command]
        self.process = subprocess.Popen(pinned, stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if len(words) != 2 or words[0] != "port":
            self.process.kill()
            raise RuntimeError(f"{self.command[0]} did not say \"port N\" but {words}")
        self.port = int(words[1])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def cpu_ns(self):
        """User and system time of all threads, ended ones too, in ns: the process's CPU clock, not ticks."""
        clock_of_process = (~self.process.pid << 3) | 2  # clock_getcpuclockid(3); 2 = exact run time
        return time.clock_gettime_ns(clock_of_process)

    def memory_bytes(self):
        """Resident memory of the process, without what belongs to shared libraries' other users."""
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as rollup:
            for line in rollup:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError("smaps_rollup has no Pss")
