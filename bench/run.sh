#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ./run bench: sets up what the benchmark needs, builds servers and load generators in the release preset, measures.
# Arguments go to bench.py (--help lists them). GAGGLE_BENCH_BIN=DIR measures programs built elsewhere;
# GAGGLE_SETUP=0 installs nothing.
#
#   ./run bench --instructions [--update]   counts instructions per call instead, against instructions.json
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
mode=measure
case " $* " in
*" --help "* | *" -h "* | *" --list "*) exec python3 "$root/bench/bench.py" --bin . "$@" ;;
*" --instructions "*) mode=instructions ;;
esac

packages="cmake ninja-build g++ pkg-config git python3 protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
libprotoc-dev libasio-dev libssl-dev libxxhash-dev nlohmann-json3-dev zlib1g-dev libzstd-dev libc-ares-dev
libgrpc++-dev libnghttp2-dev libbenchmark-dev"
if [ $mode = instructions ]; then
  packages="$packages valgrind"
else
  # grpc-go and tonic need today's Go and Rust, which Debian 12 hasn't got: without them they are left out.
  packages="$packages openssl util-linux nghttp2-client redis-server redis-tools"
fi

missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ "${GAGGLE_SETUP:-1}" = 1 ] && [ -n "$missing" ]; then
  as_root=""
  [ "$(id -u)" = 0 ] || as_root=sudo
  echo "bench: installing$missing" >&2
  $as_root apt-get update -qq
  # RUNLEVEL=1: Redis comes as a program, it needn't be started as a service.
  # shellcheck disable=SC2086  # a list of words
  $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing
fi

# build TARGET: of the library, the generator and the benchmark only, so nothing else is looked for.
build() {
  cd "$root"
  cmake --preset release -B build/bench -DGAGGLE_BENCH=ON -DGAGGLE_TESTS=OFF -DGAGGLE_CLI=OFF -DGAGGLE_EXAMPLES=OFF \
    ${GAGGLE_WERROR:+-DGAGGLE_WERROR="$GAGGLE_WERROR"} >&2
  cmake --build build/bench --parallel "${GAGGLE_JOBS:-$(nproc)}" --target "$1" >&2
}

bin=${GAGGLE_BENCH_BIN:-$root/build/bench/bin}
cd "$root/bench"
if [ $mode = instructions ]; then
  [ -n "${GAGGLE_BENCH_BIN:-}" ] || build bench_instructions
  cd "$root/bench"
  exec python3 -m runner.instructions "$bin/bench_instructions" "$@"
fi
if [ -z "${GAGGLE_BENCH_BIN:-}" ]; then
  build gaggle_bench
  cd "$root/bench"
  python3 -m runner.languages "$root/build/bench/peers" "$bin" >&2
fi
exec python3 "$root/bench/bench.py" --bin "$bin" "$@"
