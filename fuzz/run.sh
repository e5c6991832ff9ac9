#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fuzz/run.sh BIN_DIR SECONDS: every fuzzer below BIN_DIR for SECONDS, then a table. The corpus in the
# tree is read, never written; what is new lands in build/fuzz/corpus, findings in build/fuzz/findings.
# Exits 1 when a fuzzer found something.
set -euo pipefail
bin=$1 seconds=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$bin/..
table=$work/executions.txt
failed=0
: >"$table"

for fuzzer in "$bin"/*_fuzz; do
  [[ -x $fuzzer ]] || { echo "fuzz: no fuzzers in $bin" >&2; exit 1; }
  name=$(basename "$fuzzer" _fuzz)
  fresh=$work/corpus/$name
  findings=$work/findings/$name
  log=$work/$name.log
  mkdir -p "$fresh" "$findings"
  seeds=()
  [[ ! -d $here/corpus/$name ]] || seeds=("$here/corpus/$name")
  printf 'fuzz: %s for %s s ...\n' "$name" "$seconds" >&2
  outcome=ok
  "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$findings/" "$fresh" "${seeds[@]}" >"$log" 2>&1 </dev/null || {
    outcome="FOUND: $findings"
    failed=1
    tail -n 40 "$log" >&2
  }
  executions=$(awk '/stat::number_of_executed_units/ { print $2 }' "$log")
  covered=$(awk '/ cov: / { for (i = 1; i < NF; ++i) if ($i == "cov:") last = $(i + 1) } END { print last }' "$log")
  printf '%-28s %14s %10s %10s  %s\n' "$name" "${executions:--}" "$seconds" "${covered:--}" "$outcome" >>"$table"
done

printf '\n%-28s %14s %10s %10s  %s\n' fuzzer executions seconds edges outcome
cat "$table"
awk '{ n += $2; s += $3 } END { printf "%-28s %14d %10d\n", "total", n, s }' "$table"
exit $failed
