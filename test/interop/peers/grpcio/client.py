# SPDX-License-Identifier: Apache-2.0
"""client.py --server_port=N --test_case=A,B,...: the interoperability cases on grpcio.

Prints "ok CASE" or "FAILED CASE: why" for each.
"""

import pathlib
import queue
import sys

import grpc

from common import empty_pb2, flags, messages_pb2, test_pb2_grpc

CODES = grpc.StatusCode
REQUEST_SIZES = (27182, 8, 1828, 45904)
RESPONSE_SIZES = (31415, 9, 2653, 58979)
METADATA = (("x-grpc-test-echo-initial", "test_initial_metadata_value"), ("x-grpc-test-echo-trailing-bin", b"\xab" * 3))
CHOSEN = flags(server_host="", server_port="", server_host_override="", test_case="", ca_file="")


def connect():
    address = f"127.0.0.1:{CHOSEN.server_port}"
    own = [("grpc.use_local_subchannel_pool", 1)]
    if not CHOSEN.use_tls:
        return grpc.insecure_channel(address, options=own)
    credentials = grpc.ssl_channel_credentials(pathlib.Path(CHOSEN.ca_file).read_bytes())
    override = ("grpc.ssl_target_name_override", CHOSEN.server_host_override)
    return grpc.secure_channel(address, credentials, options=[*own, override])


def zeros(size):
    return messages_pb2.Payload(body=bytes(size))


def expect(actual, wanted):
    if actual != wanted:
        raise AssertionError(f"got {str(actual)[:200]!r}, wanted {str(wanted)[:200]!r}")


def fails(code, run, message=None):
    try:
        run()
    except grpc.RpcError as error:
        expect(error.code(), code)
        if message is not None:
            expect(error.details(), message)
        return
    raise AssertionError(f"succeeded, wanted {code}")


class Pipe:
    """Requests of a bidirectional call, one after the other, until close()."""

    def __init__(self):
        self.queue = queue.Queue()

    def send(self, request):
        self.queue.put(request)

    def close(self):
        self.queue.put(None)

    def __iter__(self):
        return iter(self.queue.get, None)


def output_request(request_size=0, response_size=None):
    request = messages_pb2.StreamingOutputCallRequest(payload=zeros(request_size))
    if response_size is not None:
        request.response_parameters.add(size=response_size)
    return request


class Cases:
    def __init__(self, channel):
        self.channel = channel
        self.stub = test_pb2_grpc.TestServiceStub(channel)

    def empty_unary(self):
        expect(self.stub.EmptyCall(empty_pb2.Empty(), timeout=30), empty_pb2.Empty())

    def large_unary(self, stub=None, compression=None, **more):
        request = messages_pb2.SimpleRequest(response_size=314159, payload=zeros(271828), **more)
        response = (stub or self.stub).UnaryCall(request, timeout=30, compression=compression)
        expect(response.payload.body, bytes(314159))

    def rpc_soak(self):
        for _ in range(10):
            self.large_unary()

    def channel_soak(self):
        for _ in range(10):
            with connect() as channel:
                self.large_unary(test_pb2_grpc.TestServiceStub(channel))

    def client_compressed_unary(self):
        true, false = messages_pb2.BoolValue(value=True), messages_pb2.BoolValue(value=False)
        fails(CODES.INVALID_ARGUMENT, lambda: self.large_unary(expect_compressed=true))
        self.large_unary(compression=grpc.Compression.Gzip, expect_compressed=true)
        self.large_unary(expect_compressed=false)

    def server_compressed_unary(self):
        for value in (True, False):
            self.large_unary(response_compressed=messages_pb2.BoolValue(value=value))

    def client_streaming(self):
        requests = (messages_pb2.StreamingInputCallRequest(payload=zeros(size)) for size in REQUEST_SIZES)
        expect(self.stub.StreamingInputCall(requests, timeout=30).aggregated_payload_size, 74922)

    def server_streaming(self):
        request = messages_pb2.StreamingOutputCallRequest()
        for size in RESPONSE_SIZES:
            request.response_parameters.add(size=size)
        sizes = [len(response.payload.body) for response in self.stub.StreamingOutputCall(request, timeout=30)]
        expect(tuple(sizes), RESPONSE_SIZES)

    def server_compressed_streaming(self):
        request = messages_pb2.StreamingOutputCallRequest()
        for compressed, size in ((True, 31415), (False, 92653)):
            request.response_parameters.add(size=size, compressed=messages_pb2.BoolValue(value=compressed))
        responses = self.stub.StreamingOutputCall(request, timeout=30)
        expect([response.payload.body for response in responses], [bytes(31415), bytes(92653)])

    def ping_pong(self):
        pipe = Pipe()
        responses = self.stub.FullDuplexCall(iter(pipe), timeout=30)
        for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
            pipe.send(output_request(request_size, response_size))
            expect(len(next(responses).payload.body), response_size)
        pipe.close()
        expect(list(responses), [])

    def half_duplex(self):
        requests = (output_request(8, size) for size in RESPONSE_SIZES)
        responses = self.stub.HalfDuplexCall(requests, timeout=30)
        expect(tuple(len(response.payload.body) for response in responses), RESPONSE_SIZES)

    def empty_stream(self):
        expect(list(self.stub.FullDuplexCall(iter(()), timeout=30)), [])

    def custom_metadata(self):
        _, unary = self.stub.UnaryCall.with_call(messages_pb2.SimpleRequest(response_size=1), timeout=30,
                                                 metadata=METADATA)
        duplex = self.stub.FullDuplexCall(iter([output_request(1, 1)]), timeout=30, metadata=METADATA)
        expect(len(list(duplex)), 1)
        for call in (unary, duplex):
            expect(dict(call.initial_metadata()).get(METADATA[0][0]), METADATA[0][1])
            expect(dict(call.trailing_metadata()).get(METADATA[1][0]), METADATA[1][1])

    def unary_status(self, message):
        status = messages_pb2.EchoStatus(code=2, message=message)
        request = messages_pb2.SimpleRequest(response_status=status)
        fails(CODES.UNKNOWN, lambda: self.stub.UnaryCall(request, timeout=30), message)

    def status_code_and_message(self):
        self.unary_status("test status message")
        request = output_request()
        request.response_status.code = 2
        request.response_status.message = "test status message"
        fails(CODES.UNKNOWN, lambda: list(self.stub.FullDuplexCall(iter([request]), timeout=30)),
              "test status message")

    def special_status_message(self):
        self.unary_status("\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n")

    def unimplemented_method(self):
        fails(CODES.UNIMPLEMENTED, lambda: self.stub.UnimplementedCall(empty_pb2.Empty(), timeout=30))

    def unimplemented_service(self):
        nobody = test_pb2_grpc.UnimplementedServiceStub(self.channel)
        fails(CODES.UNIMPLEMENTED, lambda: nobody.UnimplementedCall(empty_pb2.Empty(), timeout=30))

    def cancel_after_begin(self):
        pipe = Pipe()
        call = self.stub.StreamingInputCall.future(iter(pipe), timeout=30)
        call.cancel()
        pipe.close()
        expect(call.cancelled(), True)
        expect(call.code(), CODES.CANCELLED)

    def cancel_after_first_response(self):
        pipe = Pipe()
        call = self.stub.FullDuplexCall(iter(pipe), timeout=30)
        pipe.send(output_request(27182, 31415))
        expect(len(next(call).payload.body), 31415)
        call.cancel()
        pipe.close()
        fails(CODES.CANCELLED, lambda: next(call))

    def timeout_on_sleeping_server(self):
        pipe = Pipe()
        call = self.stub.FullDuplexCall(iter(pipe), timeout=0.001)
        pipe.send(output_request(27182))
        fails(CODES.DEADLINE_EXCEEDED, lambda: next(call))
        pipe.close()

    def pick_first_unary(self):
        request = messages_pb2.SimpleRequest(fill_server_id=True)
        servers = {self.stub.UnaryCall(request, timeout=30).server_id for _ in range(100)}
        expect(len(servers - {""}), 1)


def main():
    good = True
    for name in CHOSEN.test_case.split(","):
        try:
            with connect() as channel:
                getattr(Cases(channel), name)()
            print(f"ok {name}", flush=True)
        except Exception as error:  # a failed expectation or an unexpected RpcError
            print(f"FAILED {name}: {error!r}"[:400].replace("\n", " "), flush=True)
            good = False
    return 0 if good else 1


sys.exit(main())
