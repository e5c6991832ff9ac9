#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""h2specd.py H2SPECD BIN_DIR [SECTION...]: every case of h2specd, which plays the server, against gaggle_h2spec_client.

Passes when exactly the cases of test/h2spec/client_waivers.txt fail: one that fails without a waiver, and a
waiver whose case passes, are both errors. A case is "SECTION/NUMBER"; a SECTION is one of its own ("6.5").
"""

import pathlib
import random
import re
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PINNED = HERE.parent / "h2spec"
PORTS = 100  # more than there are cases: each has a port
ALL_CASES = 50


def free_ports():
    """The first of PORTS neighbours that nobody listened to a moment ago."""
    for _ in range(100):
        first = random.randrange(20000, 32000 - PORTS)
        try:
            for port in range(first, first + PORTS):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
    sys.exit("h2specd: there are no free ports")


def waivers():
    found = {}
    for line in (PINNED / "client_waivers.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            case, _, reason = line.partition(":")
            assert reason.strip(), f"a waiver without a reason: {line}"
            found[case.strip()] = reason.strip()
    return found


def results(output):
    """Case by case, whether it passed: from what h2specd prints, since it writes no report."""
    passed, section = {}, ""
    for line in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output).replace("\r", "\n").splitlines():
        if line.strip().startswith("Failures"):
            break
        if heading := re.match(r"\s*(\d+(?:\.\d+)*)\. ", line):
            section = heading[1]
        elif case := re.match(r"\s*([✔×]) (\d+): ", line):
            passed[f"{section}/{case[2]}"] = case[1] == "✔"
    return passed


def main():
    chosen = sys.argv[3:]
    client = pathlib.Path(sys.argv[2]).resolve() / "gaggle_h2spec_client"
    command = [sys.argv[1], "--exec", str(client), "--timeout", "1", "--from-port", str(free_ports())]
    done = subprocess.run([*command, *(f"client/{section}" for section in chosen)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    print(done.stdout)
    passed, waived = results(done.stdout), waivers()
    failed = {case for case, good in passed.items() if not good}
    unexpected = sorted(failed - waived.keys())
    stale = sorted(case for case in waived if passed.get(case, not chosen))
    for case in unexpected:
        print(f"h2specd: FAILED {case}")
    for case in stale:
        print(f"h2specd: {case} is waived, but passes or is gone: take the waiver out")
    print(f"h2specd: {len(passed)} cases, {len(passed) - len(failed)} passed, {len(failed - set(unexpected))} waived")
    complete = chosen or len(passed) >= ALL_CASES
    sys.exit(0 if complete and passed and done.returncode == 0 and not unexpected and not stale else 1)


main()
