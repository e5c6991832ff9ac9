#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh find_package|add_subdirectory GAGGLE_BUILD_DIR WORK_DIR: configures, builds and runs one
# consumer project. find_package gets an installation of the given build (target gaggle_installables).
set -euo pipefail
way=$1 gaggle_build=$2 work=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cmake=${CMAKE:-cmake}

rm -rf "$work"
mkdir -p "$work"
flags=()
if command -v ccache >/dev/null; then
  flags+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
if [[ $way == find_package ]]; then
  "$cmake" --install "$gaggle_build" --prefix "$work/prefix" >"$work/install.log"
  # Moved after the installation: nothing installed may remember where it was put.
  mv "$work/prefix" "$work/moved"
  flags+=("-DCMAKE_PREFIX_PATH=$work/moved")
  "$work/moved/bin/protoc-gen-gaggle" --version
else
  # The same flags as the build that ccache remembers.
  flags+=("-DGAGGLE_WERROR=${GAGGLE_WERROR:-OFF}")
fi
"$cmake" -S "$here/$way" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release "${flags[@]}"
"$cmake" --build "$work/build"
"$work/build/scores"
