# SPDX-License-Identifier: Apache-2.0
"""The machine and the versions that a result belongs to."""

import datetime
import os
import platform
import re
import subprocess

from .languages import BENCH


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=BENCH)
        return done.stdout.strip().split("\n")[0]
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.machine()


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return "unknown"


def _pinned(file, pattern):
    found = re.search(pattern, (BENCH / "peers" / file).read_text(encoding="utf-8"))
    return found[1] if found else "unknown"


def describe(options):
    versions = {module: _first_line("pkg-config", "--modversion", module)
                for module in ("grpc++", "libnghttp2", "protobuf", "openssl")}
    versions["grpc-go"] = _pinned("go/go.mod", r"google.golang.org/grpc v(\S+)")
    versions["tonic"] = _pinned("tonic/Cargo.lock", r'name = "tonic"\nversion = "([^"]+)"')
    redis = re.search(r"v=(\S+)", _first_line("redis-server", "--version"))
    versions["Redis"] = redis[1] if redis else "unknown"
    governor = _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": _cpu_model(),
        "kernel": platform.release(),
        "frequency governor": governor,
        "compiler": _first_line("g++", "--version"),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items())
                    + ", " + _first_line("h2load", "--version"),
        "commit": _first_line("git", "describe", "--always", "--dirty"),
        "rounds": f"{options.rounds} of {options.seconds} s per cell, interleaved; figures are medians (min – max)",
        "load average at start": "%.1f" % os.getloadavg()[0],
    }
