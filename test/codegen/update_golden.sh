#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# update_golden.sh PROTOC PLUGIN: makes golden/ what the generator says now. Then read the diff.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cd "$here/protos"
"$1" --plugin=protoc-gen-gaggle="$2" --gaggle_out="$out" -I. $(find . -name '*.proto' | sed 's|^\./||' | sort)
cd "$out"
find . -name '*.gaggle.*' | while read -r file; do
  mkdir -p "$here/golden/$(dirname "$file")"
  cp "$file" "$here/golden/$file.golden"
done
