#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BIN_DIR: three nodes on this machine share one cache; a day of a web shop's requests is
# replayed against them, twice. Exit code 0 if each key was loaded once, and nothing the second time.
set -euo pipefail
bin=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

work=$(mktemp -d)
nodes=()
finish() {
  for node in "${nodes[@]}"; do kill -TERM "$node" 2>/dev/null || true; done
  for node in "${nodes[@]}"; do wait "$node" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT

echo "== the origin: a SQLite database with one row per key of the trace"
xz -dc "$here/../data/web07.trace.xz" >"$work/trace"
"$bin/gaggle_demo" populate "$work/trace" "$work/origin.db"

echo "== three nodes"
mapfile -t addresses < <("$bin/gaggle_demo" addresses 3)
peers=()
for address in "${addresses[@]}"; do peers+=(--peer "$address"); done
for address in "${addresses[@]}"; do
  command=("$bin/gaggle" serve --listen "$address" "${peers[@]}" --threads 1
    --group "pages=sqlite:$work/origin.db?query=SELECT v FROM pages WHERE k=?")
  echo "${command[*]@Q}" | sed "s|$bin/||; s|$work/||"
  "${command[@]}" >"$work/${address//:/-}.log" 2>&1 &
  nodes+=($!)
done
for address in "${addresses[@]}"; do
  until grep -q '^listening on' "$work/${address//:/-}.log"; do
    kill -0 "${nodes[@]}" 2>/dev/null || { cat "$work"/*.log >&2; exit 1; }
    sleep 0.05
  done
done

"$bin/gaggle_demo" replay "$work/trace" "$work/origin.db" "${addresses[@]}"
