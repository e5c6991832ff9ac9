# SPDX-License-Identifier: Apache-2.0
"""Instructions per call of fixed transcripts, counted by callgrind and compared with instructions.json.

    instructions.py PROGRAM [--update]

Unlike times they are the same on every machine that runs the same build, so that three per cent more is a change of
the code. They belong to a compiler and a protobuf: with others nothing is compared.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

KEPT = Path(__file__).resolve().parent.parent / "instructions.json"
TRANSCRIPTS = ("server", "single", "timeout", "call")
WARM_CALLS, ALL_CALLS = 1000, 3000
BOUND = 1.03


def _collected(program, transcript, calls):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, transcript, str(calls)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return int(found[1])


def per_call(program, transcript):
    """The start and the first calls, which warm pools and tables, don't count."""
    more = _collected(program, transcript, ALL_CALLS) - _collected(program, transcript, WARM_CALLS)
    return more / (ALL_CALLS - WARM_CALLS)


def _first_line(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[0]


def toolchain():
    return f"{_first_line('g++', '--version')}, protobuf {_first_line('pkg-config', '--modversion', 'protobuf')}"


def verdict(measured, kept, bound=BOUND):
    """What is wrong with a figure, what should be said of it, or nothing: (sentence, fails)."""
    ratio = measured / kept
    if ratio > bound:
        return f"{ratio - 1:+.1%}: too many; find out why, or accept it with --update", True
    if ratio < 2 - bound:
        return f"{ratio - 1:+.1%}: keep what was won with --update", False
    return f"{ratio - 1:+.1%}", False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--instructions", action="store_true", help=argparse.SUPPRESS)  # what ./run bench goes by
    parser.add_argument("--update", action="store_true", help="writes what is measured into instructions.json")
    options = parser.parse_args()
    measured = {transcript: per_call(options.program, transcript) for transcript in TRANSCRIPTS}
    here = toolchain()
    if options.update:
        rounded = {transcript: round(value, 1) for transcript, value in measured.items()}
        KEPT.write_text(json.dumps({"toolchain": here, "instructions_per_call": rounded}, indent=2) + "\n")
    kept = json.loads(KEPT.read_text())
    comparable = kept["toolchain"] == here
    if not comparable:
        print(f"{KEPT.name} was written with {kept['toolchain']}, this is {here}: nothing is compared")
    failed = False
    for transcript, value in measured.items():
        said, fails = verdict(value, kept["instructions_per_call"][transcript]) if comparable else ("", False)
        failed = failed or fails
        print(f"{transcript:8} {value:10,.1f} instructions per call  {said}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
