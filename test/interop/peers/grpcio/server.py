# SPDX-License-Identifier: Apache-2.0
"""server.py --port=N [--use_tls=true --tls_cert_file=F --tls_key_file=F]: grpc.testing.TestService on grpcio."""

import os
import pathlib
import time
from concurrent import futures

import grpc

from common import empty_pb2, flags, messages_pb2, test_pb2_grpc


def zeros(size):
    return messages_pb2.Payload(body=bytes(size))


def echo_metadata(context):
    for key, value in context.invocation_metadata():
        if key == "x-grpc-test-echo-initial":
            context.send_initial_metadata(((key, value),))
        elif key == "x-grpc-test-echo-trailing-bin":
            context.set_trailing_metadata(((key, value),))


def end_with(status, context):
    codes = {code.value[0]: code for code in grpc.StatusCode}
    context.abort(codes[status.code], status.message)


class Tests(test_pb2_grpc.TestServiceServicer):
    def EmptyCall(self, request, context):
        return empty_pb2.Empty()

    def UnaryCall(self, request, context):
        if request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        echo_metadata(context)
        if request.response_status.code:
            end_with(request.response_status, context)
        return messages_pb2.SimpleResponse(payload=zeros(request.response_size),
                                           server_id=str(os.getpid()) if request.fill_server_id else "")

    def _answer(self, request, context):
        for wanted in request.response_parameters:
            time.sleep(wanted.interval_us / 1e6)
            if wanted.HasField("compressed") and not wanted.compressed.value:
                context.disable_next_message_compression()
            yield messages_pb2.StreamingOutputCallResponse(payload=zeros(wanted.size))

    def StreamingOutputCall(self, request, context):
        if any(wanted.compressed.value for wanted in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        yield from self._answer(request, context)

    def StreamingInputCall(self, requests, context):
        return messages_pb2.StreamingInputCallResponse(
            aggregated_payload_size=sum(len(request.payload.body) for request in requests))

    def FullDuplexCall(self, requests, context):
        echo_metadata(context)
        for request in requests:
            if request.response_status.code:
                end_with(request.response_status, context)
            yield from self._answer(request, context)

    def HalfDuplexCall(self, requests, context):
        for request in list(requests):
            yield from self._answer(request, context)


def main():
    chosen = flags(port="0", tls_cert_file="", tls_key_file="")
    server = grpc.server(futures.ThreadPoolExecutor(32))
    test_pb2_grpc.add_TestServiceServicer_to_server(Tests(), server)
    address = f"127.0.0.1:{chosen.port}"
    if chosen.use_tls:
        pair = [pathlib.Path(path).read_bytes() for path in (chosen.tls_key_file, chosen.tls_cert_file)]
        port = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    else:
        port = server.add_insecure_port(address)
    server.start()
    print(f"listening on port {port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
