# SPDX-License-Identifier: Apache-2.0
"""The few bytes of HTTP/2 and gRPC that the benchmark needs to call a server by hand.

Used for the checked call before a measurement and for the idle connections; the load itself comes from generators.
Header fields go out as literals that touch no table, so one string of bytes is good for every connection.
"""

import socket
import struct

PATH = "/benchpb.Bench/Unary"

FRAME_HEADER_BYTES = 9
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM = ACK = 0x1
END_HEADERS = 0x4


class WrongAnswer(Exception):
    """The server ended the call in another way than with the expected message and trailers."""


def _varint(number):
    low = bytes([number & 0x7f | (0x80 if number > 0x7f else 0)])
    return low + _varint(number >> 7) if number > 0x7f else low


def payload_message(payload):
    """benchpb.Request and benchpb.Response with that payload, behind gRPC's prefix: not compressed, length."""
    message = b"\x0a" + _varint(len(payload)) + payload if payload else b""
    return struct.pack(">BI", 0, len(message)) + message


PAYLOAD = b"p" * 100
REQUEST_BODY = RESPONSE_BODY = payload_message(PAYLOAD)


def _frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name, value):
    """A header field as a literal without indexing and without Huffman (RFC 7541 section 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def call_bytes(authority):
    """Everything a client sends for one call on a new connection: preface, SETTINGS, HEADERS, DATA."""
    fields = [(":method", "POST"), (":scheme", "http"), (":path", PATH), (":authority", authority),
              ("content-type", "application/grpc"), ("te", "trailers")]
    block = b"".join(_literal(name, value) for name, value in fields)
    return (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(SETTINGS, 0, 0)
            + _frame(HEADERS, END_HEADERS, 1, block) + _frame(DATA, END_STREAM, 1, REQUEST_BODY))


def _read_exactly(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise WrongAnswer("the server closed the connection")
        data += piece
    return data


def read_answer(connection):
    """Reads to the end of stream 1, acknowledging what asks for it, and compares the message byte for byte."""
    body = b""
    while True:
        header = _read_exactly(connection, FRAME_HEADER_BYTES)
        size = int.from_bytes(header[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", header[3:])
        payload = _read_exactly(connection, size)
        if kind in (SETTINGS, PING) and not flags & ACK:
            connection.sendall(_frame(kind, ACK, 0, payload if kind == PING else b""))
        elif kind in (RST_STREAM, GOAWAY):
            raise WrongAnswer(f"frame of type {kind}: {payload!r}")
        elif stream == 1 and kind == DATA:
            body += payload
        if stream == 1 and kind in (DATA, HEADERS) and flags & END_STREAM:
            if kind != HEADERS or body != RESPONSE_BODY:
                raise WrongAnswer(f"body {body!r}, ended by frame type {kind}; expected {RESPONSE_BODY!r} and trailers")
            return


def open_connection(port):
    """A connection on which one call has been made and answered rightly."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(call_bytes(f"127.0.0.1:{port}"))
    read_answer(connection)
    return connection
