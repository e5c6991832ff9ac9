# SPDX-License-Identifier: Apache-2.0
"""client.py HOST:PORT,...: what a stranger who has only the proto gets from our nodes.

Every case runs against every node, so that most keys come through a forward. Prints a line per
case; exits with 1 if any failed.
"""

import sys
import time

import grpc
import groupcache_pb2 as pb
import groupcache_pb2_grpc as rpc

from cases import case, exit_code, expect, fails

CODES = grpc.StatusCode


def check_node(address):
    channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", 8 << 20)])
    stub = rpc.GroupCacheStub(channel)

    def get(key, group="scores", timeout=10):
        return stub.Get(pb.Request(groupname=group, key=key), timeout=timeout).value

    case("value", lambda: expect(get("Tom"), b"630"))
    case("empty value", lambda: expect(get("empty"), b""))
    case("unicode key", lambda: expect(get("Grüße"), "schön".encode()))
    case("value of all bytes", lambda: expect(get("all-bytes"), bytes(range(256))))
    case("value of a mebibyte", lambda: expect(get("mebibyte"), bytes(i * 7 % 251 for i in range(1 << 20))))
    case("missing key", lambda: fails(lambda: get("nobody"), CODES.NOT_FOUND))
    case("unknown group names it", lambda: fails(lambda: get("Tom", group="nowhere"), CODES.NOT_FOUND, "nowhere"))
    case("empty key", lambda: fails(lambda: get(""), CODES.INVALID_ARGUMENT))
    case("empty group", lambda: fails(lambda: get("Tom", group=""), CODES.INVALID_ARGUMENT))
    case("key over 64 KiB", lambda: fails(lambda: get("k" * 65537), CODES.INVALID_ARGUMENT))
    case("value over the limit", lambda: fails(lambda: get("too-large"), CODES.RESOURCE_EXHAUSTED))

    def deadline():
        begin = time.monotonic()
        fails(lambda: get(f"{address}-{begin}", group="slow", timeout=0.2), CODES.DEADLINE_EXCEEDED)
        if time.monotonic() - begin > 1.5:
            raise AssertionError("the deadline was noticed too late")

    case("deadline", deadline)

    def unknown_method():
        call = channel.unary_unary("/groupcachepb.GroupCache/Put")
        fails(lambda: call(b"", timeout=5), CODES.UNIMPLEMENTED)

    case("unknown method", unknown_method)

    def garbage():
        call = channel.unary_unary("/groupcachepb.GroupCache/Get")
        fails(lambda: call(b"\xff\xff\xff", timeout=5), CODES.INTERNAL)

    case("request that isn't protobuf", garbage)

    def thousand():
        calls = [stub.Get.future(pb.Request(groupname="scores", key=f"key-{i}"), timeout=20) for i in range(1000)]
        for i, call in enumerate(calls):
            expect(call.result().value, f"value of {i}".encode())

    case("a thousand at once", thousand)

    def cancel():
        calls = [stub.Get.future(pb.Request(groupname="slow", key=f"c{i}"), timeout=20) for i in range(5)]
        for call in calls:
            call.cancel()
        expect(get("Tom"), b"630")

    case("cancelled calls leave the others alone", cancel)
    channel.close()


for node in sys.argv[1].split(","):
    print(f"grpcio {grpc.__version__} → {node}")
    check_node(node)
sys.exit(exit_code())
