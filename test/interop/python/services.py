# SPDX-License-Identifier: Apache-2.0
"""services.py BIN_DIR CERTIFICATES GENERATED: the services beside the calls, with grpcio's packages for them.

First grpcio's clients of health, reflection and error details ask a node of ours, which they know nothing of; then
`gaggle call` asks a server of grpcio's. Prints a line per case; exits with 1 if any failed.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent import futures

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

from cases import case, exit_code, expect, fails

BIN, CERTIFICATES = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
os.environ["GENERATED"] = sys.argv[3]
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "peers" / "grpcio"))

CODES = grpc.StatusCode
SLOW = ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n < 5000000) "
        "SELECT count(*) FROM c WHERE ? <> ''")


@contextlib.contextmanager
def node(database, *flags):
    """A node of ours: its process, and where it listens."""
    process = subprocess.Popen([BIN / "gaggle", "serve", "--listen", "127.0.0.1:0", *flags,
                                "--group", f"scores=sqlite:{database}?query=SELECT v FROM t WHERE k=?",
                                "--group", f"slow=sqlite:{database}?query={SLOW}"],
                               stdout=subprocess.PIPE, text=True)
    try:
        yield process, process.stdout.readline().removeprefix("listening on ").strip()
    finally:
        process.kill()
        process.wait()


def pem(name):
    return (CERTIFICATES / name).read_bytes()


class Visitor:
    """A client that learns from reflection what a node has."""

    def __init__(self, channel):
        self.channel = channel
        self.database = ProtoReflectionDescriptorDatabase(channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)
        self.health = health_pb2_grpc.HealthStub(channel)

    def messages(self, method):
        described = self.pool.FindMethodByName(method)
        return tuple(message_factory.GetMessageClass(kind) for kind in (described.input_type, described.output_type))

    def get(self, group, key, timeout=10):
        request, response = self.messages("groupcachepb.GroupCache.Get")
        call = self.channel.unary_unary("/groupcachepb.GroupCache/Get", request.SerializeToString, response.FromString)
        return call(request(groupname=group, key=key), timeout=timeout).value

    def status(self, service=""):
        request = health_pb2.HealthCheckRequest(service=service)
        return health_pb2.HealthCheckResponse.ServingStatus.Name(self.health.Check(request, timeout=10).status)

    def watch(self, service="", timeout=10):
        for answer in self.health.Watch(health_pb2.HealthCheckRequest(service=service), timeout=timeout):
            yield health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def unknown_symbol(visitor):
    try:
        visitor.pool.FindMessageTypeByName("no.Such")
    except KeyError:
        return
    raise AssertionError("found a message that isn't there")


def details_of_an_error(visitor):
    error = fails(lambda: visitor.get("none", "Tom"), CODES.NOT_FOUND)
    info = error_details_pb2.ErrorInfo()
    details = rpc_status.from_call(error).details
    expect([detail.Unpack(info) for detail in details], [True])
    expect(info.reason, "UNKNOWN_GROUP")


def shutdown(process, visitor):
    """SIGTERM: who watches is told at once, a running call ends well, and the process soon afterwards."""
    seen, values = [], []

    def watch():
        try:
            for status in visitor.watch():
                seen.append(status)
                first.set()
        except grpc.RpcError as error:
            seen.append(error.code())

    first = threading.Event()
    threads = [threading.Thread(target=watch), threading.Thread(target=lambda: values.append(visitor.get("slow", "a")))]
    for thread in threads:
        thread.start()
    expect(first.wait(10), True)
    visitor.status()  # whatever was sent before is on its way now
    process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(20)
    expect(seen, ["SERVING", "NOT_SERVING", CODES.UNAVAILABLE])
    expect(values, [b"5000000"])
    expect(process.wait(10), 0)


def their_clients(database):
    with node(database) as (process, address), grpc.insecure_channel(address) as channel:
        visitor = Visitor(channel)
        case("grpcio lists our services", lambda: expect(sorted(visitor.database.get_services()), [
            "gaggle.cache.v1.CacheAdmin", "groupcachepb.GroupCache", "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]))
        case("it calls with messages that reflection described", lambda: expect(visitor.get("scores", "Tom"), b"630"))
        case("a symbol that isn't there", lambda: unknown_symbol(visitor))
        case("error details", lambda: details_of_an_error(visitor))
        case("health of the node", lambda: expect(visitor.status(), "SERVING"))
        case("health of a service", lambda: expect(visitor.status("groupcachepb.GroupCache"), "SERVING"))
        case("health of no service", lambda: fails(lambda: visitor.status("none"), CODES.NOT_FOUND))
        case("watching no service", lambda: expect(next(visitor.watch("none")), "SERVICE_UNKNOWN"))
        case("shutdown", lambda: shutdown(process, visitor))


def secured_node(database):
    flags = ["--tls-cert", CERTIFICATES / "server1.pem", "--tls-key", CERTIFICATES / "server1.key",
             "--tls-client-ca", CERTIFICATES / "ca.pem"]
    known = grpc.ssl_channel_credentials(pem("ca.pem"), pem("server1.key"), pem("server1.pem"))
    nobody = grpc.ssl_channel_credentials(pem("ca.pem"))
    with node(database, *flags) as (_, address):
        with grpc.secure_channel(address, known) as channel:
            case("a node that asks for certificates", lambda: expect(Visitor(channel).get("scores", "Tom"), b"630"))
        with grpc.secure_channel(address, nobody) as channel:
            case("it refuses a client without one",
                 lambda: fails(lambda: Visitor(channel).status(), CODES.UNAVAILABLE))
        with grpc.insecure_channel(address) as channel:
            case("it refuses plain text", lambda: fails(lambda: Visitor(channel).status(), CODES.UNAVAILABLE))
        tls = ["--tls-ca", CERTIFICATES / "ca.pem", "--tls-cert", CERTIFICATES / "server1.pem", "--tls-key",
               CERTIFICATES / "server1.key"]
        case("gaggle get with a certificate", lambda: expect(gaggle("get", "--server", address, *tls, "scores", "Tom"),
                                                             (0, "630", "")))


def gaggle(*words, text=None):
    done = subprocess.run([BIN / "gaggle", *words], input=text, capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout, done.stderr


class Unhappy(health_pb2_grpc.HealthServicer):
    """Every Check is an error with details, of which one is of a type that nobody knows."""

    def Check(self, request, context):
        from google.protobuf import any_pb2
        from google.rpc import status_pb2
        known = any_pb2.Any()
        known.Pack(error_details_pb2.ErrorInfo(reason="TIRED", domain="tests", metadata={"since": "Monday"}))
        strange = any_pb2.Any(type_url="type.googleapis.com/no.Such", value=b"\x01\x02\x03")
        context.abort_with_status(rpc_status.to_status(
            status_pb2.Status(code=CODES.RESOURCE_EXHAUSTED.value[0], message="tired ☺", details=[known, strange])))


@contextlib.contextmanager
def stranger(reflected=True, secured=False):
    """A server of grpcio's."""
    from common import test_pb2_grpc  # generated
    from grpc.testing import test_pb2  # noqa: F401, which reflection describes because it was imported
    from server import Tests
    service = "grpc.testing.TestService"
    server = grpc.server(futures.ThreadPoolExecutor(8))
    test_pb2_grpc.add_TestServiceServicer_to_server(Tests(), server)
    healths = health.HealthServicer()
    healths.set(service, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(Unhappy() if secured else healths, server)
    if reflected:
        reflection.enable_server_reflection((service, health.SERVICE_NAME, reflection.SERVICE_NAME, "listed.Only"),
                                            server)
    if secured:
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(
            [(pem("server1.key"), pem("server1.pem"))], pem("ca.pem"), require_client_auth=True))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def says(outcome, code, *words):
    expect(outcome[0], code)
    for word in words:
        if word not in outcome[1] + outcome[2]:
            raise AssertionError(f"{word!r} isn't in {outcome!r}")


def lines(outcome):
    expect(outcome[0::2], (0, ""))
    return [json.loads(line) for line in outcome[1].splitlines()]


def our_call():
    def body(size):
        return {"payload": {"body": ["", "AA==", "AAA=", "AAAA"][size]}}

    with stranger() as address:
        def call(method, request, *flags, text=None):
            return gaggle("call", address, f"grpc.testing.TestService/{method}", request, *flags, text=text)

        case("gaggle call: unary", lambda: expect(lines(call("UnaryCall", '{"responseSize": 3}')), [body(3)]))
        case("gaggle call: server streaming", lambda: expect(
            lines(call("StreamingOutputCall", '{"responseParameters": [{"size": 1}, {"size": 2}]}')), [body(1), body(2)]))
        case("gaggle call: client streaming", lambda: expect(
            lines(call("StreamingInputCall", '{"payload": {"body": "AAAA"}} {"payload": {"body": "AA=="}}')),
            [{"aggregatedPayloadSize": 4}]))
        case("gaggle call: bidirectional, from standard input", lambda: expect(
            lines(call("FullDuplexCall", "-", text='{"responseParameters": [{"size": 1}]}\n' * 3)), [body(1)] * 3))
        case("gaggle call: a status", lambda: says(
            call("UnaryCall", '{"responseStatus": {"code": 10, "message": "no ☺"}}'), 2, "ABORTED: no ☺"))
        case("gaggle call: a large answer", lambda: expect(
            len(lines(call("UnaryCall", '{"responseSize": 8000000}'))[0]["payload"]["body"]), 10666668))
        case("gaggle call: no such method", lambda: says(call("Nothing", "{}"), 2, "it has EmptyCall"))
        case("gaggle call: no such service", lambda: says(
            gaggle("call", address, "no.Such/Method", "{}"), 2, "it has", "grpc.testing.TestService"))
        case("gaggle call: a service that the server lists, but doesn't describe", lambda: says(
            gaggle("call", address, "listed.Only/Method", "{}"), 2, "lists service listed.Only, but"))
        case("gaggle call: health", lambda: expect(lines(gaggle(
            "call", address, "grpc.health.v1.Health/Check", '{"service": "grpc.testing.TestService"}')),
            [{"status": "SERVING"}]))
        case("gaggle call: a deadline", lambda: says(call(
            "StreamingOutputCall", '{"responseParameters": [{"size": 1, "intervalUs": 5000000}]}', "--timeout=200ms"),
            2, "DEADLINE_EXCEEDED"))
    with stranger(reflected=False) as address:
        case("gaggle call: no reflection", lambda: says(
            gaggle("call", address, "grpc.testing.TestService/EmptyCall", "{}"), 2, "UNIMPLEMENTED", "reflection"))
    with stranger(secured=True) as address:
        trust = ["--tls-ca", CERTIFICATES / "ca.pem"]
        known = [*trust, "--tls-cert", CERTIFICATES / "server1.pem", "--tls-key", CERTIFICATES / "server1.key"]
        method = "grpc.testing.TestService/EmptyCall"
        case("gaggle call: with a certificate", lambda: expect(lines(gaggle("call", address, method, "{}", *known)), [{}]))
        case("gaggle call: without the one that is asked for", lambda: says(
            gaggle("call", address, method, "{}", *trust), 2, "UNAVAILABLE", "certificate"))
        case("gaggle call: plain text where TLS is spoken", lambda: says(
            gaggle("call", address, method, "{}"), 2, "UNAVAILABLE"))
        case("gaggle call: details of an error, known or not", lambda: says(
            gaggle("call", address, "grpc.health.v1.Health/Check", "{}", *known), 2, "RESOURCE_EXHAUSTED: tired ☺",
            "google.rpc.ErrorInfo", '"reason":"TIRED"', "no.Such (3 bytes)"))


with tempfile.TemporaryDirectory() as work:
    path = pathlib.Path(work) / "origin.db"
    subprocess.run([sys.executable, pathlib.Path(__file__).parent.parent / "origin.py", path], check=True)
    their_clients(path)
    secured_node(path)
our_call()
sys.exit(exit_code())
