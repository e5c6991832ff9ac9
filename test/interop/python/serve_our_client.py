# SPDX-License-Identifier: Apache-2.0
"""serve_our_client.py PROGRAM: grpcio serves GroupCache, and `PROGRAM get` reads from it."""

import subprocess
import sys
import time
from concurrent import futures

import grpc
import groupcache_pb2 as pb
import groupcache_pb2_grpc as rpc


class GroupCache(rpc.GroupCacheServicer):
    def Get(self, request, context):
        if request.key == "slow":
            time.sleep(2)
        if request.key == "nobody":
            context.abort(grpc.StatusCode.NOT_FOUND, "nobody here: 100 % sure, ü\n")
        if request.key == "broken":
            raise RuntimeError("a bug of the server")
        if request.key == "large":
            return pb.Response(value=b"x" * (1 << 20))
        return pb.Response(value=f"{request.groupname}/{request.key}".encode())


server = grpc.server(futures.ThreadPoolExecutor(4))
rpc.add_GroupCacheServicer_to_server(GroupCache(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
failures = 0


def case(name, arguments, code, out=None, error=""):
    global failures
    done = subprocess.run([sys.argv[1], "get", "--server", f"127.0.0.1:{port}", *arguments],
                          capture_output=True, timeout=20)
    good = done.returncode == code and error in done.stderr.decode() and (out is None or done.stdout == out)
    failures += not good
    print(f"{'ok     ' if good else 'FAILED '} {name}" + ("" if good else f": {done!r}"[:300]))


print(f"our client → grpcio {grpc.__version__}")
case("value", ["scores", "Tom"], 0, b"scores/Tom")
case("value of a mebibyte", ["scores", "large"], 0, b"x" * (1 << 20))
case("not found", ["scores", "nobody"], 1, b"", "nobody here: 100 % sure, ü")
case("handler that throws", ["scores", "broken"], 2, b"", "UNKNOWN")
case("deadline", ["--timeout", "200ms", "scores", "slow"], 2, b"", "DEADLINE_EXCEEDED")
server.stop(None)
case("nobody listens", ["scores", "Tom"], 2, b"", "UNAVAILABLE")
sys.exit(1 if failures else 0)
