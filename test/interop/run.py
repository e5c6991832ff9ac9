#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py BIN_DIR [PEER...] [SECONDS]: gRPC programs that nobody here wrote, against ours, both ways.

Without PEER, everything. PEER is one of those that `run.py BIN_DIR list` prints. SECONDS is for the
parts that last as long as one likes (etcd, stress). Prints a matrix of peers and cases; exits with 1
when something failed or a tool is missing: a run that proved nothing must not look like one that did.

--lenient: a tool that Debian 12 has in no usable version (a current Go or Rust) is reported, but
doesn't count as a failure.
"""

import argparse
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from runner import matrix, parts, peers  # noqa: E402
from runner.process import Missing, Setting  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("what", nargs="*")
    parser.add_argument("--lenient", action="store_true")
    arguments = parser.parse_intermixed_args()
    known = {peer.name: peer for peer in peers.ALL}
    others = parts.ALL
    wanted = [word for word in arguments.what if not word.isdecimal()]
    seconds = next((int(word) for word in arguments.what if word.isdecimal()), None)
    if wanted == ["list"]:
        print("\n".join([*known, *others]))
        return 0
    strangers = [word for word in wanted if word not in known and word not in others]
    if strangers:
        print(f"interop: no peer is called {strangers[0]}; there are: {' '.join([*known, *others])}", file=sys.stderr)
        return 2

    with Setting(arguments.bin) as setting:
        table = matrix.Matrix()
        for name in wanted or [*known, *others]:
            begin = time.monotonic()
            print(f"\n-- {name}", flush=True)
            try:
                if name in known:
                    matrix.run(setting, known[name], table)
                else:
                    table.part(name, others[name](setting, seconds))
            except Missing as missing:
                print(f"interop: {name} needs {missing}", flush=True)
                table.missing(name, missing, arguments.lenient and missing.nowhere)
            except Exception as error:  # a peer that can't be built or started says nothing of us, but must be seen
                print(f"interop: {name}: {error!r}", flush=True)
                table.part(name, f"FAILED: {error}")
            print(f"   ({time.monotonic() - begin:.0f} s)", flush=True)
        return table.report()


sys.exit(main())
