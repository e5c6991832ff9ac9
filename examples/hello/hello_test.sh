#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# hello_test.sh SERVER CLIENT: the two greet each other, and together are as short as we promise.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lines=$(cat "$here/server.cc" "$here/client.cc" | wc -l)
[ "$lines" -lt 60 ] || { echo "server and client have $lines lines; fewer than 60 are promised"; exit 1; }

pipe=$(mktemp -u)
mkfifo "$pipe"
"$1" 127.0.0.1:0 >"$pipe" &
server=$!
trap 'kill $server; rm -f "$pipe"' EXIT
read -r _ _ _ port <"$pipe"
[ "$("$2" "127.0.0.1:$port" Ada)" = "Hello, Ada!" ] || { echo "no greeting"; exit 1; }
"$2" "127.0.0.1:$port" "" 2>&1 | grep -q "INVALID_ARGUMENT: whom shall I greet?" || { echo "no error"; exit 1; }
