"""A client that writes its own frames, for what no library would do.

usage: wire.py HOST:PORT half1|half2     one request to /v1/traces over HTTP/1.1 or h2c, of which half is sent at first
       wire.py HOST:PORT connections N   N connections of HTTP/1.1 at once, a request on each
       wire.py HOST:PORT streams N       N requests at once on one connection of h2c, all of them begun before any ends

The body is read from the file that --body names. Prints a line for each event: `half`, `refusing` (a GOAWAY, or for
connections one that was closed without an answer), `status CODE`, `reset ERROR`, `closed`, and `end` at the end. Where
it prints `half` or `open` it goes on when it reads a line from standard input.
"""

import argparse
import socket
import struct
import sys

parser = argparse.ArgumentParser()
parser.add_argument("target")
parser.add_argument("what")
parser.add_argument("count", type=int, nargs="?", default=1)
parser.add_argument("--body", required=True)
arguments = parser.parse_args()
host, port = arguments.target.rsplit(":", 1)
with open(arguments.body, "rb") as file:
    body = file.read()


def say(*words):
    print(*words, flush=True)


def connect():
    connection = socket.create_connection((host, int(port)), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def head1(more=""):
    fields = "host: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: %d\r\n" % len(body)
    return ("POST /v1/traces HTTP/1.1\r\n" + fields + more + "\r\n").encode()


def answer1(connection):
    """The status of an answer without a body, or None where the connection ended."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = connection.recv(65536)
        except ConnectionError:
            more = b""
        if not more:
            return None
        data += more
    return int(data.split()[1])


class HTTP2:
    def __init__(self):
        self.socket = connect()
        self.data = b""
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.frame(4, 0, 0, b"")
        # The server's SETTINGS count from their acknowledgement on.
        while self.read() != ("settings", 0):
            pass

    def frame(self, kind, flags, stream, payload):
        head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream)
        try:
            self.socket.sendall(head + payload)
        except ConnectionError:
            pass  # What the server said before it went is still to be read.

    def head(self, stream):
        block = b""
        for name, value in (
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/v1/traces"),
            (":authority", "x"),
            ("content-type", "application/x-protobuf"),
        ):
            block += b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        self.frame(1, 4, stream, block)

    def read(self):
        """The next frame that matters, as (what, which or how); None at the end."""
        while True:
            while len(self.data) < 9 or len(self.data) < 9 + int.from_bytes(self.data[:3], "big"):
                try:
                    more = self.socket.recv(65536)
                except ConnectionError:
                    more = b""
                if not more:
                    return None
                self.data += more
            size = int.from_bytes(self.data[:3], "big")
            kind, flags, stream = self.data[3], self.data[4], int.from_bytes(self.data[5:9], "big")
            payload, self.data = self.data[9 : 9 + size], self.data[9 + size :]
            if kind == 4 and not flags & 1:
                self.frame(4, 1, 0, b"")
                return "settings", 0
            if kind == 6:
                if flags & 1:
                    return "pong", 0
                self.frame(6, 1, 0, payload)
            if kind == 7:
                return "goaway", int.from_bytes(payload[:4], "big")
            if kind == 3:
                return "reset", int.from_bytes(payload, "big")
            if kind == 1:
                # Entry 8 of HPACK's static table is `:status: 200`.
                return "status", 200 if payload[0] == 0x88 else payload[0]


def half1():
    connection = connect()
    # The server's word that it has read the head: from then on the request is in flight.
    connection.sendall(head1("expect: 100-continue\r\n"))
    if answer1(connection) != 100:
        return
    connection.sendall(body[: len(body) // 2])
    say("half")
    sys.stdin.readline()
    connection.sendall(body[len(body) // 2 :])
    say("status", answer1(connection))
    connection.settimeout(60)
    if not connection.recv(1):
        say("closed")


def half2():
    client = HTTP2()
    client.head(1)
    client.frame(0, 0, 1, body[: len(body) // 2])
    # When the answer to this is here, the server has read what was sent before it.
    client.frame(6, 0, 0, bytes(8))
    while client.read()[0] != "pong":
        pass
    say("half")
    while client.read()[0] != "goaway":
        pass
    say("refusing")
    sys.stdin.readline()
    client.frame(0, 1, 1, body[len(body) // 2 :])
    while True:
        event = client.read()
        if event is None:
            return say("closed")
        if event[0] in ("status", "reset"):
            say(*event)


def connections():
    held = []
    for _ in range(arguments.count):
        connection = connect()
        status = None
        try:
            connection.sendall(head1() + body)
            status = answer1(connection)
        except ConnectionError:
            pass
        say("refusing" if status is None else "status %d" % status)
        held.append(connection)
    say("open")
    sys.stdin.readline()
    for connection in held:
        connection.close()


def streams():
    client = HTTP2()
    for number in range(arguments.count):
        client.head(2 * number + 1)
        client.frame(0, 0, 2 * number + 1, body[: len(body) // 2])
    for number in range(arguments.count):
        client.frame(0, 1, 2 * number + 1, body[len(body) // 2 :])
    left = arguments.count
    while left:
        event = client.read()
        if event is None:
            return say("closed")
        if event[0] == "goaway":
            say("refusing")
        elif event[0] in ("status", "reset"):
            say(*event)
            left -= 1


try:
    {"half1": half1, "half2": half2, "connections": connections, "streams": streams}[arguments.what]()
finally:
    say("end")
