"""A client that does not do its part: it is silent, dribbles, or does not read.

usage: slow.py HOST:PORT KIND [--source ADDRESS]

KIND is one of
  silent          says nothing            preface   HTTP/2's preface without SETTINGS
  handshake       dribbles a TLS record that never ends
  head1, head2    dribbles a header block that never ends, on HTTP/1.1 or h2c
  body1, body2    dribbles a body that never ends
  stop1, stop2    sends half a body and then nothing
  unread          opens no window for its answer, but says that it is there
  idle            sends one request on HTTP/1.1 and then nothing
  hold            only connects, and waits for the other side's first word or end

Prints `open` once it is at it, then `closed` when the connection ends or `reset CODE` when the request does, then
`end`.
"""

import argparse
import selectors
import socket
import struct

parser = argparse.ArgumentParser()
parser.add_argument("target")
parser.add_argument("kind")
parser.add_argument("--source", default="127.0.0.1")
arguments = parser.parse_args()
host, port = arguments.target.rsplit(":", 1)


def say(*words):
    print(*words, flush=True)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def fields():
    block = b""
    for name, value in (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/v1/traces"),
        (":authority", "x"),
        ("content-type", "application/x-protobuf"),
    ):
        block += b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
    return block


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
OPENING = PREFACE + frame(4, 0, 0)
HEAD1 = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"
# What is sent at first, and what is sent again and again after that.
KINDS = {
    "silent": (b"", b""),
    "hold": (b"", b""),
    "preface": (PREFACE, b""),
    "handshake": (b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", b"\0"),
    "head1": (HEAD1 + b"x: ", b"y"),
    "head2": (OPENING + frame(1, 1, 1, fields())[:20], b""),
    "body1": (HEAD1 + b"content-length: 1000000\r\n\r\n", b"x"),
    "body2": (OPENING + frame(1, 4, 1, fields()), frame(0, 0, 1, b"x")),
    "stop1": (HEAD1 + b"content-length: 100\r\n\r\nxxxxx", b""),
    "stop2": (OPENING + frame(1, 4, 1, fields()) + frame(0, 0, 1, b"xxxxx"), b""),
    # SETTINGS_INITIAL_WINDOW_SIZE is 0; a body that is malformed has an answer with a body.
    "unread": (
        PREFACE + frame(4, 0, 0, b"\0\4\0\0\0\0") + frame(1, 4, 1, fields()) + frame(0, 1, 1, b"\xff"),
        frame(6, 0, 0, b"12345678"),
    ),
    "idle": (HEAD1 + b"content-length: 0\r\n\r\n", b""),
}


def resets(data):
    """The error codes of RST_STREAM in what came."""
    while len(data) >= 9:
        size = int.from_bytes(data[:3], "big")
        if data[3] == 3 and len(data) >= 9 + size:
            yield int.from_bytes(data[9:13], "big")
        data = data[9 + size :]


def run(connection, first, again):
    """How it ended."""
    selector = selectors.DefaultSelector()
    selector.register(connection, selectors.EVENT_READ)
    received = b""
    connection.sendall(first)
    say("open")
    while True:
        if not selector.select(0.05 if again else 60):
            connection.sendall(again)
            continue
        more = connection.recv(65536)
        if not more:
            return "closed"
        received += more
        if arguments.kind in ("body2", "unread"):
            for code in resets(received):
                return "reset %d" % code


connection = socket.create_connection((host, int(port)), timeout=60, source_address=(arguments.source, 0))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
try:
    say(run(connection, *KINDS[arguments.kind]))
except ConnectionError:
    say("closed")
finally:
    say("end")
