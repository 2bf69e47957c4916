"""OTLP bytes written by hand, right or wrong, and clients that say exactly what they are told.

What comes back from an attempt is one short text: `200`, `200 rejected=3`, `400/3` (HTTP status and the code in the
`google.rpc.Status` of its body), `grpc 3`, `grpc 0 rejected=3`, `closed` (no answer, connection ended).
"""

import json
import os
import socket
import struct

import hpack
from google.rpc import status_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


# Protobuf


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def number(field_number, value):
    return varint(field_number << 3) + varint(value)


def fixed64(field_number, value):
    return varint(field_number << 3 | 1) + struct.pack("<Q", value)


def attribute(key, value):
    """A KeyValue; bytes are a string's, anything else is an AnyValue already encoded."""
    return field(1, key) + field(2, field(1, value) if isinstance(value, bytes) else value[0])


def span(trace=None, own=None, more=b"", name=b"hostile"):
    trace = os.urandom(16) if trace is None else trace
    own = os.urandom(8) if own is None else own
    times = fixed64(7, 1_700_000_000_000_000_000) + fixed64(8, 1_700_000_000_001_000_000)
    return field(1, trace) + field(2, own) + field(5, name) + number(6, 2) + times + more


def resource_spans(*spans, resource=b"", scope=b""):
    resource = field(1, resource or field(1, attribute(b"service.name", b"hostile")))
    return field(1, resource + field(2, scope + b"".join(field(2, one) for one in spans)))


def request(*spans, **more):
    return resource_spans(*spans, **more)


# HTTP/1.1


class HTTP1:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # What the server said before it went is still to be read.

    def post(self, body, fields="", kind="application/x-protobuf", path="/v1/traces"):
        head = "POST %s HTTP/1.1\r\nhost: x\r\ncontent-type: %s\r\ncontent-length: %d\r\n" % (path, kind, len(body))
        self.send((head + fields + "\r\n").encode("latin-1") + body)
        return self.answer()

    def more(self):
        try:
            data = self.socket.recv(1 << 18)
        except OSError:
            data = b""
        self.data += data
        return len(data) > 0

    def answer(self, is_head=False):
        while b"\r\n\r\n" not in self.data:
            if not self.more():
                return "closed"
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        size = 0 if is_head else int(fields.get("content-length", 0))
        while len(self.data) < size:
            if not self.more():
                return "closed"
        body, self.data = self.data[:size], self.data[size:]
        self.fields = fields
        return answer_text(int(lines[0].split()[1]), fields.get("content-type"), body)

    def ended(self):
        """Whether the server ends the connection."""
        while self.more():
            pass
        return True

    def close(self):
        self.socket.close()


def answer_text(status, kind, body):
    text = str(status)
    if status == 200 and body and kind == "application/x-protobuf":
        rejected = service.ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans
        text += " rejected=%d" % rejected
    elif status == 200 and kind == "application/json" and body != b"{}":
        text += " rejected=%s" % json.loads(body)["partialSuccess"]["rejectedSpans"]
    elif status != 200 and kind == "application/x-protobuf":
        text += "/%d" % status_pb2.Status.FromString(body).code
    elif status != 200 and kind == "application/json":
        text += "/%d" % json.loads(body)["code"]
    return text


def http(address, body, fields="", kind="application/x-protobuf", path="/v1/traces"):
    connection = HTTP1(address)
    try:
        return connection.post(body, fields, kind, path)
    finally:
        connection.close()


# gRPC


class HTTP2:
    """A connection that obeys flow control and opens one stream after the other."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        self.next = 1
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.window, self.initial, self.stream_window = 65535, 65535, 65535
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.frame(4, 0, 0, b"")
        self.state = None
        while self.state is None:
            self.step()

    def frame(self, kind, flags, stream, payload):
        try:
            self.socket.sendall(
                struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload
            )
        except OSError:
            pass

    def step(self):
        """Takes in one frame; False at the end of the connection."""
        while len(self.data) < 9 or len(self.data) < 9 + int.from_bytes(self.data[:3], "big"):
            try:
                more = self.socket.recv(1 << 18)
            except OSError:
                more = b""
            if not more:
                return False
            self.data += more
        size = int.from_bytes(self.data[:3], "big")
        kind, flags, stream = self.data[3], self.data[4], int.from_bytes(self.data[5:9], "big")
        payload, self.data = self.data[9 : 9 + size], self.data[9 + size :]
        if kind == 4 and not flags & 1:
            for place in range(0, len(payload), 6):
                if int.from_bytes(payload[place : place + 2], "big") == 4:
                    self.initial = int.from_bytes(payload[place + 2 : place + 6], "big")
            self.frame(4, 1, 0, b"")
            self.state = "open"
        elif kind == 6 and not flags & 1:
            self.frame(6, 1, 0, payload)
        elif kind == 8 and stream == 0:
            self.window += int.from_bytes(payload, "big")
        elif kind == 8 and stream == self.next:
            self.stream_window += int.from_bytes(payload, "big")
        elif kind == 1:
            for name, value in self.decoder.decode(payload):
                if stream == self.next:
                    self.fields[name] = value
            self.done = self.done or (stream == self.next and flags & 1)
        elif kind == 0:
            if stream == self.next:
                self.body += payload
                self.done = self.done or flags & 1
            self.frame(8, 0, 0, struct.pack(">I", len(payload))) if payload else None
        elif kind == 3 and stream == self.next:
            self.done, self.reset = True, int.from_bytes(payload, "big")
        return True

    def call(self, message, fields=(), path=EXPORT, method="POST", kind="application/grpc", piece=16000, drop=()):
        """Sends one request of these very bytes; the answer's text. `drop` names header fields to leave out."""
        head = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "x"), ("content-type", kind)]
        head = [pair for pair in head if pair[0] not in drop] + list(fields)
        self.fields, self.body, self.done, self.reset = {}, b"", False, None
        self.stream_window = self.initial
        block = self.encoder.encode(head)
        pieces = [block[place : place + 16000] for place in range(0, len(block), 16000)]
        for place, one in enumerate(pieces):
            flags = (0 if message or place else 1) | (4 if place == len(pieces) - 1 else 0)
            self.frame(9 if place else 1, flags, self.next, one)
        sent, alive = 0, True
        while sent < len(message) and alive and not self.done:
            room = min(piece, self.window, self.stream_window, len(message) - sent)
            if room <= 0:
                alive = self.step()
                continue
            self.window -= room
            self.stream_window -= room
            end = 1 if sent + room == len(message) else 0
            self.frame(0, end, self.next, message[sent : sent + room])
            sent += room
        while alive and not self.done:
            alive = self.step()
        if sent < len(message):
            self.frame(3, 0, self.next, struct.pack(">I", 8))
        self.next += 2
        return self.text() if self.done else "closed"

    def text(self):
        if self.reset is not None and ":status" not in self.fields:
            return "reset %d" % self.reset
        if self.fields.get(":status") != "200" or "grpc-status" not in self.fields:
            return "http %s" % self.fields.get(":status")
        text = "grpc " + self.fields["grpc-status"]
        if len(self.body) > 5:
            partial = service.ExportTraceServiceResponse.FromString(self.body[5:]).partial_success
            text += " rejected=%d" % partial.rejected_spans
        return text

    def close(self):
        self.socket.close()


def framed(message, flag=0):
    return bytes([flag]) + struct.pack(">I", len(message)) + message


def grpc(address, message, **more):
    connection = HTTP2(address)
    try:
        return connection.call(message, **more)
    finally:
        connection.close()
