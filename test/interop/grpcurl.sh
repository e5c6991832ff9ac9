#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# grpcurl.sh GRPCURL ADDRESS: lists, describes and calls a node through its reflection service, which is
# all that grpcurl is told. The node has the key Tom in the group scores.
set -uo pipefail
grpcurl=${1:?usage: grpcurl.sh GRPCURL ADDRESS}
address=${2:?usage: grpcurl.sh GRPCURL ADDRESS}
failed=0

# expect WHAT PATTERN ARGUMENT...: grpcurl's output has a line like PATTERN.
expect() {
  local what=$1 pattern=$2 output
  shift 2
  output=$("$grpcurl" -plaintext -max-time 10 "$@" 2>&1)
  if grep -qE -- "$pattern" <<<"$output"; then
    echo "ok: $what"
  else
    printf 'FAILED: %s\n  grpcurl %s\n%s\n' "$what" "$*" "$output"
    failed=1
  fi
}

expect "lists the cache" '^groupcachepb\.GroupCache$' "$address" list
expect "lists health" '^grpc\.health\.v1\.Health$' "$address" list
expect "lists both versions of reflection" '^grpc\.reflection\.v1alpha\.ServerReflection$' "$address" list
expect "lists methods" '^groupcachepb\.GroupCache\.Get$' "$address" list groupcachepb.GroupCache
expect "describes a service" 'rpc Get \( \.groupcachepb\.Request \)' "$address" describe groupcachepb.GroupCache
expect "describes a message" 'string groupname = 1;' "$address" describe groupcachepb.Request
expect "describes a stream" 'returns \( stream' "$address" describe grpc.health.v1.Health.Watch
expect "calls" '"value": "' -d '{"groupname": "scores", "key": "Tom"}' "$address" groupcachepb.GroupCache/Get
expect "shows a status" 'Code: NotFound' -d '{"groupname": "none", "key": "Tom"}' "$address" groupcachepb.GroupCache/Get
expect "shows its details" 'UNKNOWN_GROUP' -d '{"groupname": "none", "key": "Tom"}' "$address" groupcachepb.GroupCache/Get
expect "asks for health" '"status": "SERVING"' "$address" grpc.health.v1.Health/Check
expect "finds no symbol that isn't there" 'Symbol not found' "$address" describe no.Such
exit $failed
