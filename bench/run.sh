#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ./run bench: sets up what the benchmark needs, builds the servers in the release preset, measures.
# Arguments go to bench.py (--help lists them). GAGGLE_BENCH_BIN=DIR measures binaries built elsewhere.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
case " $* " in
*" --help "* | *" -h "*) exec python3 "$root/bench/bench.py" --help ;;
esac

packages="cmake ninja-build g++ pkg-config git python3 util-linux nghttp2-client libnghttp2-dev libgrpc++-dev
protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libprotoc-dev libasio-dev libxxhash-dev nlohmann-json3-dev
zlib1g-dev libzstd-dev libc-ares-dev"

missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  as_root=""
  [ "$(id -u)" = 0 ] || as_root=sudo
  echo "bench: installing$missing" >&2
  $as_root apt-get update -qq
  # shellcheck disable=SC2086  # a list of words
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

bin=${GAGGLE_BENCH_BIN:-}
if [ -z "$bin" ]; then
  cd "$root"
  # Only the library, the generator and the servers are needed, so nothing else is looked for.
  cmake --preset release -B build/bench -DGAGGLE_BENCH=ON -DGAGGLE_TESTS=OFF -DGAGGLE_CLI=OFF -DGAGGLE_EXAMPLES=OFF >&2
  cmake --build build/bench --target gaggle_bench >&2
  bin=$root/build/bench/bin
fi

exec python3 "$root/bench/bench.py" --bin "$bin" "$@"
