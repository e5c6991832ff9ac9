#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py BIN_DIR [PEER...] [SECONDS]: gRPC programs that nobody here wrote, against ours, both ways.

Without PEER, everything. PEER is one of those that `run.py BIN_DIR list` prints. SECONDS is for the
parts that last as long as one likes (etcd, stress). Prints a matrix of peers and cases, what each took,
and every failure; exits with 1 when something failed or a tool is missing: a run that proved nothing
must not look like one that did. What the programs printed is kept in build/interop/logs.

--lenient: a tool that Debian 12 has in no usable version (a current Go or Rust) is reported, but
doesn't count as a failure.

Nothing can hang: building a peer has a limit, running it has another, and whatever was started is
ended with it, also upon SIGTERM.
"""

import argparse
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from runner import matrix, parts, peers  # noqa: E402
from runner.process import RUN_SECONDS, Missing, Setting, limit  # noqa: E402
from runner.report import Report  # noqa: E402


def run_one(setting, name, seconds, lenient, report):
    """Runs one peer or part. Gives its outcome; None when its columns in the report say it."""
    try:
        peer = next((peer for peer in peers.ALL if peer.name == name), None)
        if peer is not None:
            return matrix.run_peer(setting, peer, report)
        with limit(RUN_SECONDS + (seconds or 0), name):
            return parts.ALL[name](setting, seconds)
    except Missing as missing:
        return f"{'left out:' if lenient and missing.nowhere else 'FAILED:'} it needs {missing}"
    except Exception as error:  # a peer that can't be built or started says nothing of us, but must be seen
        return f"FAILED: {error}"
    finally:
        setting.stop_servers()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("what", nargs="*")
    parser.add_argument("--lenient", action="store_true")
    arguments = parser.parse_intermixed_args()
    known = [*(peer.name for peer in peers.ALL), *parts.ALL]
    wanted = [word for word in arguments.what if not word.isdecimal()]
    seconds = next((int(word) for word in arguments.what if word.isdecimal()), None)
    if wanted == ["list"]:
        print("\n".join(known))
        return 0
    strangers = [word for word in wanted if word not in known]
    if strangers:
        print(f"interop: no peer is called {strangers[0]}; there are: {' '.join(known)}", file=sys.stderr)
        return 2

    # As an exception, so that everything that was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("interop: ended by SIGTERM"))
    begin = time.monotonic()
    report = Report()
    with Setting(arguments.bin) as setting:
        for name in wanted or known:
            print(f"\n-- {name}", flush=True)
            started, setting.build_seconds = time.monotonic(), 0.0
            outcome = run_one(setting, name, seconds, arguments.lenient, report)
            if outcome:
                print(f"   {outcome}", flush=True)
            report.ended(name, outcome, time.monotonic() - started, setting.build_seconds)
    return report.print(time.monotonic() - begin)


sys.exit(main())
