"""An upstream that does with an exporter's connections what no right server does.

usage: hostile_upstream.py PORT BEHAVIOUR

Prints `listening PORT`, and `connected` when the first connection comes. A line on standard input makes it print what it has counted so far, as one JSON object:
"connections" it has accepted, "requests" that began on them, and the most connections within 100 ms ("burst"). Ends when standard input ends.
"""

import collections
import json
import socket
import sys
import threading
import time

import hpack
from hyperframe import frame as frames

PREFACE = 24
BEHAVIOURS = {}
counts = collections.Counter()
times = []


def behaviour(function):
    BEHAVIOURS[function.__name__] = function
    return function


def raw(kind, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    return b"\0" + bytes([len(name)]) + name + hpack.hpack.encode_integer(len(value), 7) + value


OK = b"\x88" + literal(b"content-type", b"application/grpc")


class Connection:
    """What most behaviours have in common: a right beginning, and a look at each frame."""

    settings = {}

    def __init__(self, accepted):
        self.socket = accepted
        self.data = b""

    def send(self, data):
        self.socket.sendall(data)

    def run(self):
        self.send(frames.SettingsFrame(0, settings=self.settings).serialize())
        self.began()
        self.take(PREFACE)
        while True:
            head = self.take(9)
            frame, length = frames.Frame.parse_frame_header(memoryview(head))
            frame.parse_body(memoryview(self.take(length)))
            if isinstance(frame, frames.SettingsFrame) and "ACK" not in frame.flags:
                self.send(raw(4, 1))
            elif isinstance(frame, frames.HeadersFrame):
                counts["requests"] += 1
                self.headers(frame.stream_id)
            elif isinstance(frame, frames.DataFrame):
                if frame.flow_controlled_length:
                    self.credit(frame.flow_controlled_length, frame.stream_id)
                if "END_STREAM" in frame.flags:
                    self.request(frame.stream_id)

    def take(self, count):
        while len(self.data) < count:
            more = self.socket.recv(1 << 16)
            if not more:
                raise ConnectionError
            self.data += more
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def credit(self, count, stream):
        self.send(raw(8, 0, 0, count.to_bytes(4, "big")) + raw(8, 0, stream, count.to_bytes(4, "big")))

    def flood(self, data, count=1 << 40):
        block = data * 100
        for _ in range(count):
            self.send(block)

    # What a behaviour does.

    def began(self):
        pass

    def headers(self, stream):
        pass

    def request(self, stream):
        pass


@behaviour
class resets_streams(Connection):
    def headers(self, stream):
        self.send(raw(3, 0, stream, bytes([0, 0, 0, 2])))


@behaviour
class refuses_streams(Connection):
    def headers(self, stream):
        self.send(raw(3, 0, stream, bytes([0, 0, 0, 7])))


@behaviour
class goes_away_at_once(Connection):
    def began(self):
        self.send(raw(7, 0, 0, bytes(8)))


@behaviour
class goes_away_on_requests(Connection):
    def request(self, stream):
        self.send(raw(7, 0, 0, bytes(8)))


@behaviour
class goaway_flood(Connection):
    def headers(self, stream):
        self.flood(raw(7, 0, 0, b"\x7f\xff\xff\xff" + bytes(4)))


@behaviour
class closes_at_once(Connection):
    def run(self):
        pass


@behaviour
class closes_on_requests(Connection):
    def request(self, stream):
        raise ConnectionError


@behaviour
class never_opens_the_window(Connection):
    settings = {4: 0}


@behaviour
class gives_no_credit(Connection):
    """The windows of the beginning, and never more."""

    def credit(self, count, stream):
        pass


@behaviour
class allows_no_streams(Connection):
    settings = {3: 0}

    def began(self):
        # Without a word for a while it would hold the spans; the next connection is no better.
        time.sleep(1)
        raise ConnectionError


@behaviour
class never_reads(Connection):
    def run(self):
        self.send(raw(4))
        time.sleep(3600)


@behaviour
class says_nothing(Connection):
    def run(self):
        time.sleep(3600)


@behaviour
class never_answers(Connection):
    pass


@behaviour
class pings_and_never_answers(Connection):
    """Alive by all signs, but for the answers."""

    def headers(self, stream):
        threading.Thread(target=self.pings, daemon=True).start()

    def pings(self):
        try:
            while True:
                self.send(raw(6, 0, 0, bytes(8)))
                time.sleep(0.05)
        except OSError:
            pass


@behaviour
class answers_garbage(Connection):
    def run(self):
        self.send(b"HTTP/1.1 400 Bad Request\r\n\r\nwhat?\xff\xff" * 100)
        self.take(1 << 30)


@behaviour
class answers_garbage_frames(Connection):
    def request(self, stream):
        self.send(raw(1, 4, stream, b"\xff" * 20))


@behaviour
class answers_without_status(Connection):
    def request(self, stream):
        self.send(raw(1, 5, stream, literal(b"content-type", b"text/plain")))


@behaviour
class answers_without_grpc_status(Connection):
    def request(self, stream):
        self.send(raw(1, 5, stream, OK))


@behaviour
class answers_503(Connection):
    def request(self, stream):
        self.send(raw(1, 5, stream, literal(b":status", b"503")))


@behaviour
class ping_flood(Connection):
    def headers(self, stream):
        self.flood(raw(6, 0, 0, bytes(8)))


@behaviour
class settings_flood(Connection):
    def headers(self, stream):
        self.flood(raw(4))


@behaviour
class settings_flood_at_once(Connection):
    def began(self):
        self.flood(raw(4))


@behaviour
class window_update_flood(Connection):
    def headers(self, stream):
        self.flood(raw(8, 0, 0, bytes([0, 0, 0, 1])), 100)
        self.flood(raw(6, 1, 0, bytes(8)))


@behaviour
class unknown_frame_flood(Connection):
    def headers(self, stream):
        self.flood(raw(0xFA, 0, 0, b"what?"))


@behaviour
class interim_response_flood(Connection):
    def headers(self, stream):
        self.flood(raw(1, 4, stream, literal(b":status", b"103")))


@behaviour
class empty_data_flood(Connection):
    def request(self, stream):
        self.send(raw(1, 4, stream, OK))
        self.flood(raw(0, 0, stream))


@behaviour
class continuation_flood(Connection):
    def request(self, stream):
        self.send(raw(1, 0, stream, OK))
        self.flood(raw(9, 0, stream, literal(b"x", b"y" * 1000)))


@behaviour
class header_bomb(Connection):
    def request(self, stream):
        entry = b"\x40\x01x" + hpack.hpack.encode_integer(4000, 7) + b"b" * 4000
        self.send(raw(1, 5, stream, OK + entry + b"\xbe" * 10000))


@behaviour
class huge_trailers(Connection):
    def request(self, stream):
        fields = b"".join(literal(b"x-%d" % n, b"v" * 4000) for n in range(3))
        self.send(raw(1, 4, stream, OK) + raw(0, 0, stream, bytes(5)) + raw(1, 1, stream, fields))
        self.send(raw(9, 0, stream, fields) * 3 + raw(9, 4, stream, literal(b"grpc-status", b"0")))


@behaviour
class endless_body(Connection):
    def request(self, stream):
        self.send(raw(1, 4, stream, OK))
        # As much as the windows let through; the client is to end it long before.
        for _ in range(1000):
            self.send(raw(0, 0, stream, bytes(16384)))


@behaviour
class endless_small_body(Connection):
    """A byte now and then, for ever."""

    def request(self, stream):
        self.send(raw(1, 4, stream, OK))
        threading.Thread(target=self.drip, args=(stream,), daemon=True).start()

    def drip(self, stream):
        try:
            while True:
                self.send(raw(0, 0, stream, b"\0"))
                time.sleep(0.02)
        except OSError:
            pass


@behaviour
class promises_pushes(Connection):
    def headers(self, stream):
        self.send(raw(5, 4, stream, bytes([0, 0, 0, 2]) + literal(b":method", b"GET")))


def serve(connection):
    try:
        connection.run()
    except OSError:
        pass
    finally:
        try:
            connection.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        connection.socket.close()


def accept(listener, kind):
    while True:
        accepted, _ = listener.accept()
        counts["connections"] += 1
        if counts["connections"] == 1:
            print("connected", flush=True)
        times.append(time.monotonic())
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(kind(accepted),), daemon=True).start()


def burst():
    most, first = 0, 0
    for last, now in enumerate(times):
        while now - times[first] > 0.1:
            first += 1
        most = max(most, last - first + 1)
    return most


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    threading.Thread(target=accept, args=(listener, BEHAVIOURS[sys.argv[2]]), daemon=True).start()
    print("listening", listener.getsockname()[1], flush=True)
    for _ in sys.stdin:
        said = {"connections": counts["connections"], "requests": counts["requests"], "burst": burst()}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
