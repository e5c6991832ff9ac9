#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# nodes.sh BIN_DIR PEERS: gRPC programs that nobody here wrote, against a cluster of three real nodes
# ("python node grpcurl"). Python's grpcio and Node's grpc-js make their clients from proto/groupcache.proto with
# their own tools; grpcurl asks the nodes.
#
# run.py calls it, which has put what it needs into build/interop.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=${1:?usage: nodes.sh BIN_DIR PEERS}
bin=$(cd "$bin" && pwd)
peers=${2:?usage: nodes.sh BIN_DIR PEERS}
work=$(mktemp -d)
cache=$root/build/interop
mkdir -p "$cache"
nodes=()
names=() outcomes=()

cleanup() {
  for pid in "${nodes[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${nodes[@]}"; do wait "$pid" 2>/dev/null; done
  rm -rf "$work"
}
trap cleanup EXIT

record() {
  names+=("$1") outcomes+=("$2")
}

# A port that was free a moment ago.
free_port() {
  python3 - <<'PYTHON'
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
PYTHON
}

start_cluster() {
  python3 "$here/origin.py" "$work/origin.db" || return 1
  local ports=() peer_flags=() port i
  for i in 1 2 3; do ports+=("$(free_port)"); done
  for port in "${ports[@]}"; do peer_flags+=(--peer "127.0.0.1:$port"); done
  # "slow" answers after some seconds of work in the database, so that a deadline can pass before.
  local slow="WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n < 20000000) SELECT count(*) FROM c WHERE ? <> ''"
  for port in "${ports[@]}"; do
    "$bin/gaggle" serve --listen "127.0.0.1:$port" "${peer_flags[@]}" \
      --group "scores=sqlite:$work/origin.db?query=SELECT v FROM t WHERE k=?" \
      --group "slow=sqlite:$work/origin.db?query=$slow" \
      >"$work/node-$port.log" 2>&1 &
    nodes+=($!)
  done
  for port in "${ports[@]}"; do
    for i in $(seq 100); do
      (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
      ((i < 100)) || { echo "interop: node $port didn't start:" >&2; cat "$work/node-$port.log" >&2; return 1; }
      sleep 0.1
    done
  done
  servers=$(printf '127.0.0.1:%s,' "${ports[@]}")
  servers=${servers%,}
}

run_python() {
  local python=$cache/python/bin/python
  "$python" -m grpc_tools.protoc -I "$root/proto" --python_out="$work" --grpc_python_out="$work" groupcache.proto &&
    PYTHONPATH=$work "$python" "$here/python/client.py" "$servers" &&
    PYTHONPATH=$work "$python" "$here/python/serve_our_client.py" "$bin/gaggle"
  record python "$([[ $? == 0 ]] && echo passed || echo FAILED)"
}

run_node() {
  NODE_PATH=$cache/node/node_modules node "$here/node/client.js" "$root/proto/groupcache.proto" "$servers"
  record node "$([[ $? == 0 ]] && echo passed || echo FAILED)"
}

run_grpcurl() {
  "$here/grpcurl.sh" "$cache/grpcurl/grpcurl" "${servers%%,*}"
  record grpcurl "$([[ $? == 0 ]] && echo passed || echo FAILED)"
}

start_cluster || { record cluster FAILED; peers=; }
for peer in $peers; do
  printf '\n-- %s\n' "$peer"
  "run_$peer"
done

printf '\n%-8s %s\n' peer outcome
failed=0
for i in "${!names[@]}"; do
  printf '%-8s %s\n' "${names[i]}" "${outcomes[i]}"
  [[ ${outcomes[i]} == passed ]] || failed=$((failed + 1))
done
((${#names[@]} > 0 && failed == 0))
