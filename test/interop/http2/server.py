# SPDX-License-Identifier: Apache-2.0
"""server.py CASE: one of gRPC's negative HTTP/2 cases, played by a server on hyper-h2.

Prints "listening on port N". Each line that it reads is answered with "good", or with what the client did
wrong so far.
"""

import asyncio
import struct
import sys

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

RESPONSE_BYTES = 314159
CHUNK = {"data_frame_padding": 5, "no_df_padding_sanity_test": 5}
PADDING = 255


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def response():
    """SimpleResponse{payload{body: zeros}} with gRPC's prefix."""
    payload = b"\x12" + varint(RESPONSE_BYTES) + bytes(RESPONSE_BYTES)
    message = b"\x0a" + varint(len(payload)) + payload
    return b"\0" + struct.pack(">I", len(message)) + message


class Case:
    """What all connections of this run have done."""

    def __init__(self, name):
        self.name = name
        self.connections = 0
        self.requests = 0
        self.open = 0
        self.most_open = 0
        self.pings = 0
        self.acknowledged = 0
        self.wrong = []

    def verdict(self):
        if self.name == "goaway" and self.requests == 2 and self.connections != 2:
            self.wrong.append("the second call wasn't made on another connection")
        if self.name == "ping" and self.acknowledged != self.pings:
            self.wrong.append(f"{self.acknowledged} of {self.pings} pings were acknowledged")
        if self.name == "ping" and self.pings == 0:
            self.wrong.append("no ping was sent")
        if self.name == "max_streams" and self.most_open != 1:
            self.wrong.append(f"{self.most_open} streams at once")
        return "; ".join(self.wrong) or "good"


class Connection(asyncio.Protocol):
    def __init__(self, case):
        self.case = case
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.to_send = {}  # stream → rest of the response
        self.asked = False

    def connection_made(self, transport):
        self.transport = transport
        self.h2.initiate_connection()
        if self.case.name == "max_streams":
            self.h2.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1})
        self.flush()

    def data_received(self, data):
        try:
            events = self.h2.receive_data(data)
        except h2.exceptions.ProtocolError as error:
            self.case.wrong.append(f"the client broke the protocol: {error}")
            self.flush()
            self.transport.close()
            return
        for event in events:
            self.on_event(event)
        for stream in list(self.to_send):
            self.send_more(stream)
        self.flush()

    def on_event(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.case.requests += 1
            self.case.connections += not self.asked  # whoever only looked whether we listen doesn't count
            self.asked = True
            self.case.open += 1
            self.case.most_open = max(self.case.most_open, self.case.open)
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.PingAckReceived):
            self.case.acknowledged += 1
        elif isinstance(event, h2.events.StreamEnded):
            self.answer(event.stream_id)

    def ping(self):
        if self.case.name == "ping":
            self.h2.ping(struct.pack(">Q", self.case.pings))
            self.case.pings += 1

    def answer(self, stream):
        self.ping()
        self.h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc+proto")])
        self.ping()
        data = response()
        if self.case.name == "rst_after_header":
            self.reset(stream)
            return
        if self.case.name == "rst_during_data":
            data = data[:len(data) // 2]
        self.to_send[stream] = data
        self.send_more(stream)

    def reset(self, stream):
        self.h2.reset_stream(stream, h2.errors.ErrorCodes.NO_ERROR)
        self.to_send.pop(stream, None)
        self.case.open -= 1

    def send_more(self, stream):
        rest = self.to_send.get(stream)
        padding = PADDING if self.case.name == "data_frame_padding" else None
        overhead = 0 if padding is None else padding + 1
        while rest:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size) - overhead
            size = min(room, CHUNK.get(self.case.name, 16384), len(rest))
            if size <= 0:
                break
            self.h2.send_data(stream, rest[:size], pad_length=padding)
            rest = rest[size:]
        if rest is None:
            return
        self.to_send[stream] = rest
        if not rest:
            self.finish(stream)

    def finish(self, stream):
        if self.case.name in ("rst_during_data", "rst_after_data"):
            self.reset(stream)
            return
        self.ping()
        self.h2.send_headers(stream, [("grpc-status", "0")], end_stream=True)
        del self.to_send[stream]
        self.case.open -= 1
        if self.case.name == "goaway" and self.case.requests == 1:
            # Written by hand: for hyper-h2, whoever says GOAWAY won't read any more.
            self.flush()
            self.transport.write(struct.pack(">BHBBLLL", 0, 8, 7, 0, 0, stream, 0))

    def flush(self):
        self.transport.write(self.h2.data_to_send())


async def main():
    case = Case(sys.argv[1])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(case), "127.0.0.1", 0)
    print(f"listening on port {server.sockets[0].getsockname()[1]}", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(case.verdict(), flush=True)


asyncio.run(main())
