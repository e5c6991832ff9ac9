#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# h2spec.sh H2SPEC BIN_DIR [h2spec argument...]: every case of h2spec against gaggle_h2spec_server.
#
# Passes when exactly the cases of test/h2spec/waivers.txt fail: one that fails without a waiver, and a
# waiver whose case passes, are both errors.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
h2spec=${1:?usage: h2spec.sh H2SPEC BIN_DIR [argument...]}
bin=${2:?usage: h2spec.sh H2SPEC BIN_DIR [argument...]}
shift 2
waivers=$here/../h2spec/waivers.txt
work=$(mktemp -d)
trap 'rm -rf "$work"; [[ -z ${server:-} ]] || kill "$server" 2>/dev/null || true' EXIT

"$bin/gaggle_h2spec_server" --listen 127.0.0.1:0 >"$work/log" &
server=$!
for _ in $(seq 100); do
  port=$(sed -n 's/^listening on port //p' "$work/log")
  [[ -n $port ]] && break
  sleep 0.05
done
[[ -n $port ]] || { echo "h2spec: the server didn't start" >&2; exit 1; }

"$h2spec" -h 127.0.0.1 -p "$port" -o 5 --junit-report "$work/report.xml" "$@" || true
kill -0 "$server" 2>/dev/null || { echo "h2spec: the server died" >&2; exit 1; }

python3 - "$work/report.xml" "$waivers" "$#" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree

report, waivers_file, chosen = sys.argv[1:]
waivers = {}
with open(waivers_file, encoding="utf-8") as lines:
    for line in lines:
        line = line.strip()
        if line and not line.startswith("#"):
            case, _, reason = line.partition(":")
            assert reason.strip(), f"a waiver without a reason: {line}"
            waivers[case.strip()] = reason.strip()

total, failed = 0, set()
for suite in tree.parse(report).iter("testsuite"):
    for number, case in enumerate(suite.iter("testcase"), 1):
        total += 1
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(f"{case.get('package')}/{number}")

unexpected = sorted(failed - waivers.keys())
stale = sorted(waivers.keys() - failed) if chosen == "0" else []
for case in unexpected:
    print(f"h2spec: FAILED {case}")
for case in stale:
    print(f"h2spec: {case} is waived, but passes: take the waiver out")
print(f"h2spec: {total} cases, {total - len(failed)} passed, {len(failed) - len(unexpected)} waived")
sys.exit(1 if unexpected or stale or total == 0 or (chosen == "0" and total < 140) else 0)
PYTHON
