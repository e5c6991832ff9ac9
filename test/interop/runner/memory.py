# SPDX-License-Identifier: Apache-2.0
"""What a program's memory does while it runs."""

import re
import threading
import time

# Of the time: what a program needs while it warms up says nothing of leaks.
WARM = 0.1
# What may come on top, of allocators and of tables that grow now and then.
SLACK_MIB = 4


class Memory:
    """Looks once a second, until stop(), or the process is gone."""

    def __init__(self, pid, seconds):
        self.pid, self.warm_at = pid, time.monotonic() + seconds * WARM
        self.warm = self.last = self.most = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def stop(self):
        self.stopped.set()
        self.thread.join()
        return self

    def _look(self):
        while True:
            try:
                with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
                    resident = re.search(r"^VmRSS:\s+(\d+)", status.read(), re.MULTILINE)
            except OSError:
                return
            if resident is None:  # a process that has ended, and nobody has asked
                return
            self.last = int(resident[1]) / 1024
            self.most = max(self.most or 0, self.last)
            if self.warm is None and time.monotonic() >= self.warm_at:
                self.warm = self.last
            if self.stopped.wait(1):
                return

    def grew(self):
        return self.warm is not None and self.last > self.warm * 1.1 + SLACK_MIB

    def __str__(self):
        if self.warm is None:
            return "its memory wasn't seen"
        return f"{self.warm:.1f} MiB when warm, {self.last:.1f} at the end, {self.most:.1f} at most"
