"""A sender that does everything wrong, and one beside it that does everything right.

usage: hostile_otlp.py GROUP --grpc HOST:PORT --http HOST:PORT --limit BYTES

GROUP is framing, coding, nesting, bytes, names, sizes or http1. After each attack a second client sends a good span
over connections that it has had since the beginning. Prints a line for each attack, JSON with "name", "got", "want"
and "seconds", and one in the end: {"malformed", "too_large", "overload": refusals that are to be counted,
"received", "rejected": spans, "names": of the second client's}.
"""

import argparse
import gzip
import json
import os
import struct
import threading
import time
import zlib

from wireformat import *

parser = argparse.ArgumentParser()
parser.add_argument("group")
parser.add_argument("--grpc", required=True)
parser.add_argument("--http", required=True)
parser.add_argument("--limit", type=int, required=True)
arguments = parser.parse_args()
limit = arguments.limit
totals = {"malformed": 0, "too_large": 0, "overload": 0, "received": 0, "rejected": 0}
names = []


class Bystander:
    def __init__(self):
        self.http, self.grpc = HTTP1(arguments.http), HTTP2(arguments.grpc)

    def send(self):
        texts = []
        for post in (self.http.post, lambda body: self.grpc.call(framed(body))):
            name = "bystander-%d" % len(names)
            names.append(name)
            totals["received"] += 1
            texts.append(post(request(span(name=name.encode()))))
        return texts


def attack(name, got, want, malformed=0, too_large=0, received=0, rejected=0):
    """Carries out `got` and says what came of it."""
    began = time.monotonic()
    try:
        text = got()
    except Exception as error:
        text = "%s: %s" % (type(error).__name__, error)
    print(
        json.dumps({"name": name, "got": text, "want": want, "seconds": round(time.monotonic() - began, 3)}), flush=True
    )
    beside = bystander.send()
    if beside != ["200", "grpc 0"]:
        print(json.dumps({"name": "beside " + name, "got": str(beside), "want": ""}), flush=True)
    totals["malformed"] += malformed
    totals["too_large"] += too_large
    totals["received"] += received
    totals["rejected"] += rejected


def call(message, **more):
    return lambda: grpc(arguments.grpc, message, **more)


def post(body, *fields, **more):
    return lambda: http(arguments.http, body, "".join(one + "\r\n" for one in fields), **more)


# gRPC's framing and HTTP/2's heads


def framing():
    good = framed(request(span()))
    bad = dict(want="grpc 3", malformed=1)
    attack("no message", call(b""), **bad)
    attack("half a prefix", call(b"\0\0\0"), **bad)
    attack("half a message", call(good[:-7]), **bad)
    attack("a byte too many", call(good + b"\0"), **bad)
    attack("two messages", call(good + good), **bad)
    attack("a thousand messages", call(good * 1000), **bad)
    attack("length 0xFFFFFFFF", call(b"\0\xff\xff\xff\xff" + good), "grpc 8", too_large=1)
    attack("length 0xFFFFFFFF, compressed", call(b"\1\xff\xff\xff\xff" + good), "grpc 8", too_large=1)
    attack("length 0x7FFFFFFF and nothing", call(b"\0\x7f\xff\xff\xff"), "grpc 8", too_large=1)
    attack("a byte past the limit", call(b"\0" + struct.pack(">I", limit + 1)), "grpc 8", too_large=1)
    attack("the limit, announced only", call(b"\0" + struct.pack(">I", limit)), **bad)
    for flag in (2, 3, 0x80, 0xFF):
        attack("flag %#x" % flag, call(framed(b"", flag)), **bad)
    attack("compressed without a coding", call(framed(gzip.compress(b""), 1)), "grpc 13", malformed=1)
    attack(
        "compressed as identity", call(framed(b"", 1), fields=[("grpc-encoding", "identity")]), "grpc 13", malformed=1
    )
    for coding in ("snappy", "br", "deflate", "gzip,gzip", "gzip ; q=1", "\xff", "x" * 3000):
        attack("coding %.12r" % coding, call(good, fields=[("grpc-encoding", coding)]), "grpc 12")
    attack("gzip, but not used", call(good, fields=[("grpc-encoding", "gzip")]), "grpc 0", received=1)
    attack("gzip, and two of it", call(good, fields=[("grpc-encoding", "gzip")] * 2), "grpc 0", received=1)
    for path in (EXPORT + "/", EXPORT + "?a=b", EXPORT.lower(), "/" + EXPORT, "/"):
        attack("path %s" % path[-16:], call(good, path=path), "grpc 12")
    for path in (EXPORT[1:], "x", "*", ""):
        attack("path without a slash: %s" % path[:8], call(good, path=path), "reset 1")
    attack("path of 8000 bytes", call(good, path="/" + "x" * 8000), "grpc 12")
    attack("no path", call(good, drop=[":path"]), "reset 1")
    for method in ("GET", "PUT", "OPTIONS", "HEAD", "post", "XYZZY"):
        attack("method " + method, call(good, method=method), "http 405")
    for kind in ("application/json", "application/grpc-web", "application/grpc+json", "application/grpcx", "", "\xff"):
        attack("type %r" % kind, call(good, kind=kind), "http 415")
    attack("type of 8000 bytes", call(good, kind="x" * 8000), "http 415")
    attack("no type", call(good, drop=["content-type"]), "http 415")
    for kind in ("application/grpc+proto", "application/grpc;charset=utf-8", "APPLICATION/GRPC"):
        attack("type " + kind, call(good, kind=kind), "grpc 0", received=1)
    attack("timeouts", call(good, fields=[("grpc-timeout", "99999999999999999999H")]), "grpc 0", received=1)
    attack("a byte a frame", call(good, piece=1), "grpc 0", received=1)
    attack("binary metadata that is none", call(good, fields=[("x-bin", "%%%")]), "grpc 0", received=1)
    attack("200 fields too many", call(good, fields=[("x-%d" % n, "y") for n in range(300)]), "http 431")
    attack("fields too long", call(good, fields=[("x-%d" % n, "y" * 4000) for n in range(30)]), "http 431")


# Codings: bombs, damage, what is odd but right


def zstd_frame(blocks, head=b"\xa0" + bytes(4), tail=b""):
    """A frame of (size, type, content) blocks; the head is the descriptor and what follows it."""
    out = b"\x28\xb5\x2f\xfd" + head
    for place, (size, kind, content) in enumerate(blocks):
        last = 1 if place == len(blocks) - 1 else 0
        out += struct.pack("<I", last | kind << 1 | size << 3)[:3] + content
    return out + tail


def zstd_raw(data, head=None, tail=b""):
    head = b"\xa0" + struct.pack("<I", len(data)) if head is None else head
    pieces = [data[place : place + 100_000] for place in range(0, len(data), 100_000)] or [b""]
    return zstd_frame([(len(piece), 0, piece) for piece in pieces], head, tail)


def zstd_bomb(mebibytes, head):
    return zstd_frame([(1 << 17, 1, b"\0")] * (8 * mebibytes), head)


def gzip_bomb(size):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    out = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20))
    return out + packer.flush()


def coding():
    good, big = request(span()), request(span(more=field(9, attribute(b"pad", b"x" * (limit // 2)))))
    packed, zipped = gzip.compress(good, mtime=0), zstd_raw(good)
    member = gzip.compress(field(3, b"unknown"), mtime=0)
    window = lambda log: bytes([0x00, (log - 10) << 3])
    right = [
        ("three members", "gzip", packed + packed + packed, 3),
        ("a thousand members", "gzip", packed + member * 1000, 1),
        ("20 000 empty members", "gzip", gzip.compress(b"", mtime=0) * 20_000 + packed, 1),
        ("name, comment, extra", "gzip", b"\x1f\x8b\x08\x1c" + bytes(6) + b"\4\0abcdname\0comment\0" + packed[10:], 1),
        ("stored blocks", "gzip", gzip.compress(good, 0, mtime=0), 1),
        ("three frames", "zstd", zipped * 3, 3),
        ("skippable frames", "zstd", b"\x50\x2a\x4d\x18\4\0\0\0abcd" + zipped + b"\x5f\x2a\x4d\x18\0\0\0\0", 1),
        ("20 000 empty frames", "zstd", zstd_raw(b"", b"\x20\0") * 20_000 + zipped, 1),
        ("a window of 2 GiB", "zstd", zstd_raw(good, window(31)), 1),
        ("no size", "zstd", zstd_raw(good, window(20)), 1),
    ]
    for name, kind, body, count in right:
        attack(kind + ": " + name, post(body, "content-encoding: " + kind), "200", received=count)
        message = framed(body, 1)
        attack(kind + ": " + name, call(message, fields=[("grpc-encoding", kind)]), "grpc 0", received=count)
    damaged = [
        ("nothing", "gzip", b""),
        ("half", "gzip", packed[: len(packed) // 2]),
        ("no trailer", "gzip", packed[:-8]),
        ("wrong sum", "gzip", packed[:-8] + bytes(4) + packed[-4:]),
        ("wrong size", "gzip", packed[:-4] + b"\1\2\3\4"),
        ("garbage behind", "gzip", packed + b"garbage"),
        ("zeros behind", "gzip", packed + bytes(512)),
        ("second member cut", "gzip", packed + packed[:-3]),
        ("a name without end", "gzip", b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 100_000),
        ("zlib", "gzip", zlib.compress(good)),
        ("deflate", "gzip", zlib.compress(good)[2:-4]),
        ("zstd", "gzip", zipped),
        ("nothing", "zstd", b""),
        ("half", "zstd", zipped[: len(zipped) // 2]),
        ("only a magic number", "zstd", zipped[:4]),
        ("wrong sum", "zstd", zstd_raw(good, b"\xa4" + struct.pack("<I", len(good)), b"\1\2\3\4")),
        ("shorter than it says", "zstd", zstd_raw(good, b"\xa0" + struct.pack("<I", len(good) + 1))),
        ("a window of 3.75 TiB", "zstd", zstd_raw(good, b"\x00\xff")),
        ("a dictionary", "zstd", zstd_raw(good, b"\xa3" + b"\1\2\3\4" + struct.pack("<I", len(good)))),
        ("a reserved block", "zstd", zstd_frame([(10, 3, b"x" * 10)])),
        ("garbage behind", "zstd", zipped + b"garbage"),
        ("skips past the end", "zstd", b"\x50\x2a\x4d\x18\xff\xff\xff\xff" + good),
        ("gzip", "zstd", packed),
    ]
    for name, kind, body in damaged:
        attack(kind + " damaged: " + name, post(body, "content-encoding: " + kind), "400/3", malformed=1)
        message = framed(body, 1)
        attack(kind + " damaged: " + name, call(message, fields=[("grpc-encoding", kind)]), "grpc 3", malformed=1)
    bombs = [
        ("1000 to 1", "gzip", gzip_bomb(limit * 16)),
        ("200 to 1 of the limit", "gzip", gzip_bomb(limit * 200)),
        ("in members", "gzip", gzip_bomb(1 << 20) * 100),
        ("two halves and more", "gzip", gzip.compress(big) * 3),
        ("says that it is small", "gzip", gzip_bomb(limit * 16)[:-4] + b"\1\0\0\0"),
        ("32 000 to 1", "zstd", zstd_bomb(limit * 100 >> 20, b"\xa0" + struct.pack("<I", limit * 100))),
        ("no size", "zstd", zstd_bomb(limit * 100 >> 20, window(31))),
        ("says that it is small", "zstd", zstd_bomb(limit * 2 >> 20, b"\xa0" + struct.pack("<I", 1000))),
        ("says 2^63", "zstd", zstd_bomb(limit * 2 >> 20, b"\xe0" + struct.pack("<Q", 1 << 63))),
        ("in frames", "zstd", zstd_bomb(1, b"\xa0" + struct.pack("<I", 1 << 20)) * 100),
    ]
    for name, kind, body in bombs:
        attack(kind + " bomb: " + name, post(body, "content-encoding: " + kind), "413/8", too_large=1)
        message = framed(body, 1)
        attack(kind + " bomb: " + name, call(message, fields=[("grpc-encoding", kind)]), "grpc 8", too_large=1)
    for kind in ("br", "deflate", "gzip, gzip", "gzip;q=1", "*", "x" * 3000):
        attack("coding %.12r" % kind, post(good, "content-encoding: " + kind), "415/3")
    attack("no coding, but gzip", post(packed), "400/3", malformed=1)
    twice = gzip.compress(packed)
    attack("gzip in gzip", post(twice, "content-encoding: gzip"), "400/3", malformed=1)
    attack("gzip in two fields", post(packed, *["content-encoding: gzip"] * 2), "200", received=1)
    spaces = gzip.compress(b'{"resourceSpans": [' + b" " * (limit * 4) + b"]}")
    attack("a bomb of JSON", post(spaces, "content-encoding: gzip", kind="application/json"), "413/8", too_large=1)


# Nesting


def nested(depth, wrap, core=b""):
    value = core
    for _ in range(depth):
        value = wrap(value)
    return value


def nesting():
    arrays = lambda depth: [nested(depth, lambda inner: field(5, field(1, inner)))]
    lists = lambda depth: [nested(depth, lambda inner: field(6, field(1, field(1, b"k") + field(2, inner))))]
    groups = lambda depth: nested(depth, lambda inner: varint(100 << 3 | 3) + inner + varint(100 << 3 | 4))
    places = {
        "span": lambda value: request(span(more=field(9, attribute(b"deep", value)))),
        "event": lambda value: request(span(more=field(11, field(3, attribute(b"deep", value))))),
        "link": lambda value: request(span(more=field(13, field(4, attribute(b"deep", value))))),
        "resource": lambda value: request(span(), resource=field(1, attribute(b"deep", value))),
        "scope": lambda value: request(span(), scope=field(1, field(3, attribute(b"deep", value)))),
    }
    bad = dict(malformed=1)
    for name, place in places.items():
        attack("arrays in a " + name, post(place(arrays(10_000))), "400/3", **bad)
        attack("lists in a " + name, call(framed(place(lists(10_000)))), "grpc 3", **bad)
        attack("a few in a " + name, post(place(arrays(20))), "200", received=1)
    attack("groups in a request", post(groups(10_000)), "400/3", **bad)
    attack("groups in a span", post(request(span(more=groups(10_000)))), "400/3", **bad)
    attack("groups in an attribute", post(places["span"]([groups(10_000)])), "400/3", **bad)
    attack("groups without end", post(varint(100 << 3 | 3) * 100_000), "400/3", **bad)
    attack("as many bytes as go", post(varint(100 << 3 | 3) * (limit // 2 - 8)), "400/3", **bad)
    attack("a few groups", post(request(span(more=groups(50)))), "200", received=1)

    def json_post(text):
        return post(text.encode(), kind="application/json")

    def json_span(value):
        ids = '"traceId":"%s","spanId":"%s"' % (os.urandom(16).hex(), os.urandom(8).hex())
        attributes = '"attributes":[{"key":"deep","value":%s}]' % value
        return '{"resourceSpans":[{"scopeSpans":[{"spans":[{%s,"name":"json",%s}]}]}]}' % (ids, attributes)

    for opening, closing, core in (
        ('{"arrayValue":{"values":[', "]}}", '{"intValue":1}'),
        ('{"kvlistValue":{"values":[{"key":"k","value":', "}]}}", '{"intValue":1}'),
        ('{"unknown":', "}", "1"),
        ('{"x":[', "]}", "null"),
    ):
        attack("JSON " + opening[:9], json_post(json_span(opening * 10_000 + core + closing * 10_000)), "400/3", **bad)
        attack("JSON open " + opening[:9], json_post(json_span(opening * 10_000)), "400/3", **bad)
        attack("JSON few " + opening[:9], json_post(json_span(opening * 20 + core + closing * 20)), "200", received=1)
    attack("JSON brackets", json_post("[" * (limit - 1)), "400/3", **bad)
    attack("JSON braces", json_post('{"a":' * (limit // 6)), "400/3", **bad)
    attack("JSON without end", json_post(json_span("1")[:-20]), "400/3", **bad)
    attack("JSON 1e999999", json_post(json_span('{"doubleValue":1e999999}')), "400/3", **bad)
    digits = "9" * (limit // 2)
    attack("JSON with many digits", json_post(json_span('{"intValue":%s}' % digits)), "400/3", **bad)
    attack(
        "JSON with many zeros", json_post(json_span('{"doubleValue":0.%s1}' % ("0" * (limit // 2)))), "200", received=1
    )
    attack("JSON, halves of characters", json_post(json_span('{"stringValue":"\\ud800"}')), "200", received=1)
    attack(
        "JSON not in UTF-8",
        post(json_span('{"stringValue":"~"}').encode().replace(b"~", b"\xff"), kind="application/json"),
        "400/3",
        **bad,
    )
    attack("JSON in UTF-16", post(json_span("{}").encode("utf-16"), kind="application/json"), "400/3", **bad)
    attack(
        "JSON with a mark before it",
        post(b"\xef\xbb\xbf" + json_span("{}").encode(), kind="application/json"),
        "400/3",
        **bad,
    )
    attack(
        "JSON, same key a thousand times",
        json_post(json_span("{" + ",".join(['"intValue":1'] * 1000) + "}")),
        "200",
        received=1,
    )


# Bytes: IDs, times, lengths, texts, cycles


def bytes_group():
    bad = dict(want="400/3", malformed=1)
    good = span()
    odd = [
        ("no IDs", span(b"", b"")),
        ("15 bytes", span(os.urandom(15))),
        ("17 bytes", span(os.urandom(17))),
        ("a megabyte", span(os.urandom(limit // 2))),
        ("zeros", span(bytes(16))),
        ("7 bytes", span(None, os.urandom(7))),
        ("9 bytes", span(None, os.urandom(9))),
        ("zero span", span(None, bytes(8))),
        ("an empty span", b""),
        ("the last one counts", good + field(1, b"")),
    ]
    for name, one in odd:
        attack("ID: " + name, post(request(one, span())), "200 rejected=1", received=2, rejected=1)
        attack("ID: " + name, call(framed(request(one, span()))), "grpc 0 rejected=1", received=2, rejected=1)
    attack("a thousand empty spans", post(request(*[b""] * 1000)), "200 rejected=1000", received=1000, rejected=1000)
    empty = request(*[b""] * ((limit - 100) // 2))
    attack("as many empty spans as fit", post(empty), "413/8", too_large=1)
    attack("as many empty resources as fit", post(field(1, b"") * (limit // 2 - 8)), "413/8", too_large=1)
    attack("as many empty scopes as fit", post(field(1, field(2, b"") * (limit // 2 - 8))), "413/8", too_large=1)

    top = (1 << 64) - 1
    for name, start, end in (
        ("0 and 0", 0, 0),
        ("0 and the last", 0, top),
        ("the last and 0", top, 0),
        ("the last twice", top, top),
        ("the end first", 1_700_000_000_000_000_000, 1),
        ("a sign", 1 << 63, (1 << 63) - 1),
    ):
        attack("times: " + name, post(request(span(more=fixed64(7, start) + fixed64(8, end)))), "200", received=1)

    for name, body in (
        ("a length past the end", field(1, b"x")[:1] + b"\x7f"),
        ("a length of 2^64-1", b"\x0a" + varint(top)),
        ("a length of 2^63", b"\x0a" + varint(1 << 63)),
        ("a length of 2^32", b"\x0a" + varint(1 << 32)),
        ("a negative length", b"\x0a" + varint(top - 3) + b"abc"),
        ("a varint past the end", b"\x08\xff\xff"),
        ("a varint of 11 bytes", b"\x08" + b"\x80" * 10 + b"\1"),
        ("a length of 11 bytes", b"\x0a" + b"\x80" * 10 + b"\0"),
        ("field 0", b"\x02\0"),
        ("field 2^29", varint(1 << 32 | 2) + b"\0"),
        ("wire type 6", b"\x0e\0"),
        ("wire type 7", b"\x0f\0"),
        ("an end without a group", b"\x0c"),
        ("a group without end", b"\x0b\x08\1"),
        ("a group with another's end", b"\x0b\x14"),
        ("half a fixed64", b"\x39\1\2\3"),
        ("half a fixed32", b"\x3d\1"),
        ("a request in half", request(good)[:-9]),
    ):
        attack(name, post(body), **bad)
        attack(name + ", in a span", post(request(span(more=body))), **bad)
        attack(
            name + ", in a value",
            call(framed(request(span(more=field(9, field(1, b"k") + field(2, body)))))),
            "grpc 3",
            malformed=1,
        )
    for name, body in (
        ("a length longer than it needs to be", b"\x1a\x81\x80\x80\0x" + request(good)),
        (
            "unknown fields",
            number(2000, 1) + field(536870911, b"x") + fixed64(3000, 1) + request(span(more=field(99, b"x"))),
        ),
        ("groups", b"\x0b\x08\1\x0c" + request(span(more=varint(50 << 3 | 3) + number(1, 1) + varint(50 << 3 | 4)))),
        ("known fields of another type", request(span(more=number(5, 7) + field(7, b"12345678") + fixed64(9, 1)))),
        ("fields twice", request(span(more=field(1, os.urandom(16)) + field(2, os.urandom(8)) + field(5, b"again")))),
        ("a kind of 2^31", request(span(more=number(6, 1 << 31)))),
        ("a status of -1", request(span(more=field(15, number(3, top))))),
        (
            "two resources",
            field(1, field(1, b"") + field(1, field(1, attribute(b"service.name", b"two"))) + field(2, field(2, good))),
        ),
    ):
        attack(name, post(body), "200", received=1)

    text = b"\xff\xfe\xc0\x80\xed\xa0\x80\x00\n\r\x1b[31m"
    texts = {
        "name": request(span(name=text)),
        "key": request(span(more=field(9, attribute(text, text)))),
        "value": request(span(more=field(9, attribute(b"peer.region", text)))),
        "tracestate": request(span(more=field(3, text))),
        "status": request(span(more=field(15, field(2, text) + number(3, 2)))),
        "event": request(span(more=field(11, field(2, text)))),
        "link": request(span(more=field(13, field(3, text)))),
        "service": request(
            span(), resource=field(1, attribute(b"service.name", text)) + field(1, attribute(b"cloud.region", text))
        ),
        "scope": request(span(), scope=field(1, field(1, text) + field(2, text))),
        "schema": field(1, field(2, field(2, span()) + field(3, text)) + field(3, text)),
    }
    for name, body in texts.items():
        attack("not UTF-8: " + name, post(body), "200", received=1)

    trace = os.urandom(16)
    ids = [os.urandom(8) for _ in range(2000)]
    child = lambda own, parent: span(trace, own, field(4, parent))
    attack("its own parent", post(request(child(ids[0], ids[0]))), "200", received=1)
    attack("each other's parents", post(request(child(ids[1], ids[2]), child(ids[2], ids[1]))), "200", received=2)
    ring = [child(own, ids[place - 1]) for place, own in enumerate(ids)][3:]
    attack("a long ring", post(request(*ring)), "200", received=len(ring))
    attack("parents of 7 bytes", post(request(child(os.urandom(8), os.urandom(7)))), "200", received=1)
    twins = [span(trace, os.urandom(8)) for _ in range(2)]
    attack("nothing", post(b""), "200")
    attack("nothing", call(framed(b"")), "grpc 0")
    attack("resources without spans", post(field(1, b"") * 100 + field(1, field(2, b"") * 100)), "200")
    attack("two spans", post(request(*twins)), "200", received=2)

    for name, value in (
        ("no th", b"ot=th:"),
        ("a long th", b"ot=th:" + b"8" * 100),
        ("th that is no number", b"ot=th:xyz"),
        ("two ot", b"ot=th:8,ot=th:0"),
        ("a thousand members", b",".join(b"k%d=v" % n for n in range(1000))),
        ("commas", b"," * 10_000),
        ("a megabyte", b"k=" + b"v" * (limit // 2)),
        ("signs", b"=;:,=;:,ot=;;;:::,ot"),
        ("rv alone", b"ot=rv:ffffffffffffff"),
        ("a bad rv", b"ot=rv:fffffffffffffff;th:0"),
    ):
        attack("tracestate: " + name, post(request(span(more=field(3, value)))), "200", received=1)
    for name, value in (
        ("members", b",".join(b"k%d=v" % n for n in range(10_000))),
        ("commas", b"," * 100_000),
        ("signs", b"=;=;,,;;==" * 1000),
        ("a megabyte", b"k=" + b"v" * (limit // 2)),
    ):
        more = field(9, attribute(b"http.request.header.baggage", value)) + field(
            9, attribute(b"baggage." + value[:1000], b"x")
        )
        attack("baggage: " + name, post(request(span(more=more))), "200", received=1)
    entries = b"".join(field(9, attribute(b"baggage.%d" % n, b"v")) for n in range(limit // 64))
    attack("baggage: entries", post(request(span(more=entries))), "200", received=1)
    small = field(9, field(1, b""))
    attack("attributes", post(request(span(more=small * ((limit - 200) // len(small))))), "200", received=1)
    attack("empty attributes", post(request(span(more=field(9, b"") * ((limit - 200) // 2)))), "200", received=1)
    attack("events", post(request(span(more=field(11, b"") * ((limit - 200) // 2)))), "200", received=1)
    attack(
        "one attribute", post(request(span(more=field(9, attribute(b"k", b"v" * (limit - 300)))))), "200", received=1
    )


# Names: what peers call their spans, services and regions, which ends in logs and metrics


def names_group():
    for text in (
        b"INJECTED\n2026-01-01T00:00:00.000Z ERROR INJECTED",
        b"INJECTED\r\n",
        b"\x1b[2J\x1b[31mINJECTED\x1b]0;x\x07",
        b"INJECTED\0",
        b"INJECTED\xef\xbf\xbd",
        b"INJECTED\xff",
        b"INJECTED\xfe",
        b'"} 1\nINJECTED{x="',
        b"INJECTED\\",
        b'\\"',
        b"a\\nb",
        b'{"level":"error","message":"INJECTED"}',
        b"\xe2\x80\xa8INJECTED\xe2\x80\xae\xc2\x85",
        b" ",
        b"__overflow__",
        b"{}",
        b"# EOF",
        b"x" * 256,
        b"x" * 257,
        b"INJECTED" * (limit // 128),
        "\U0001f9a2".encode() * 64,
    ):
        here = field(1, attribute(b"service.name", text)) + field(1, attribute(b"cloud.region", text))
        there = field(1, attribute(b"service.name", text + b"2")) + field(1, attribute(b"cloud.region", text[::-1]))
        trace, parent = os.urandom(16), os.urandom(8)
        peers = field(9, attribute(b"peer.region", text[::-1])) + field(9, attribute(b"url.full", b"http://" + text))
        client = span(trace, parent, number(6, 3) + peers + field(15, number(3, 2)), text)
        server = span(trace, None, field(4, parent), text)
        body = resource_spans(client, resource=here) + resource_spans(server, resource=there)
        attack("named %.20r" % text, post(body), "200", received=2)
    for path, want in (("/v1/traces%0aINJECTED", "404/12"), ("/INJECTED\x1b[31m", "400"), ("/\xff", "400")):
        attack("path %r" % path, post(b"", path=path), want)
    attack("type with an escape", post(b"", kind="INJECTED\x1b[31m"), "400")
    attack("type of no text", post(b"", kind="\xff\xfe"), "415")
    attack("coding of no text", post(b"", "content-encoding: \xff\xfe"), "415/3")
    attack("method of gRPC", call(b"", path="/INJECTED%0a"), "grpc 12")
    attack("method of gRPC with an escape", call(b"", path="/INJECTED\x1b[31m"), "reset 1")


# Sizes: as large as the default limit lets them be


def together(name, count, got):
    """Carries out so many at once: each is too large, unless the others leave it no memory to find that out."""
    texts = [None] * count

    def one(place):
        texts[place] = got()

    def run():
        threads = [threading.Thread(target=one, args=(place,)) for place in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return " ".join(sorted(set(texts) - {"503/14"}))

    attack(name, run, "413/8")
    totals["too_large"] += texts.count("413/8")
    totals["overload"] += texts.count("503/14")


def sizes():
    mebi = 1 << 20
    large = request(span(more=field(9, attribute(b"k", b"v" * (60 * mebi)))))
    attack("an attribute of 60 MiB", post(large), "200", received=1)
    million = field(9, attribute(b"key", b"v")) * 1_000_000
    attack("a million attributes", post(request(span(more=million))), "200", received=1)
    million = field(9, attribute(b"baggage.key", b"v")) * 1_000_000
    attack("a million entries", call(framed(request(span(more=million)))), "grpc 0", received=1)
    head = b"\xa0" + struct.pack("<I", limit * 30)
    bomb = zstd_bomb(limit * 30 >> 20, head)
    together("bombs", 4, post(bomb, "content-encoding: zstd"))
    block = b"\x12\0" * (1 << 16)
    size = 16 * mebi
    inner = b"\x12" + varint(size)
    outer = b"\x0a" + varint(len(inner) + size) + inner
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    packed = (
        packer.compress(outer) + b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()
    )
    together("16 MiB of empty spans", 2, post(packed, "content-encoding: gzip"))
    deep = b'{"resourceSpans":[' + b"{}," * mebi + b"{}]}"
    attack(
        "a million empty resources in JSON",
        post(gzip.compress(deep, 1), "content-encoding: gzip", kind="application/json"),
        "413/8",
        too_large=1,
    )


# HTTP/1.1


def raw(data, count=1, is_head=False):
    """Sends these bytes on a connection of its own; the answers to them."""

    def exchange():
        connection = HTTP1(arguments.http)
        connection.send(data)
        try:
            return " ".join(connection.answer(is_head) for _ in range(count))
        finally:
            connection.close()

    return exchange


def http1():
    body = request(span())
    kind = b"content-type: application/x-protobuf\r\n"
    length = b"content-length: %d\r\n" % len(body)
    line = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\n"
    chunked = b"transfer-encoding: chunked\r\n"
    chunks = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    post_of = lambda fields, data=body, start=line: raw(start + kind + fields + b"\r\n" + data)
    taken = dict(want="200", received=1)

    attack("as it should be", post_of(length), **taken)
    attack(
        "an absolute URI", post_of(length, start=b"POST http://example.com/v1/traces HTTP/1.1\r\nhost: x\r\n"), **taken
    )
    attack(
        "an absolute URI of https",
        post_of(length, start=b"POST HTTPS://example.com:4318/v1/traces?a=b HTTP/1.1\r\nhost: x\r\n"),
        **taken,
    )
    attack("a query", post_of(length, start=b"POST /v1/traces?%00=../../ HTTP/1.1\r\nhost: x\r\n"), **taken)
    attack("HTTP/1.0", post_of(length, start=b"POST /v1/traces HTTP/1.0\r\n"), **taken)
    attack("chunks", post_of(chunked, chunks), **taken)
    attack("a byte a chunk", post_of(chunked, b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"), **taken)
    attack("chunk extensions", post_of(chunked, b'%x;a=b;c="d"\r\n' % len(body) + body + b"\r\n0;x\r\n\r\n"), **taken)
    attack(
        "a long chunk extension",
        post_of(chunked, b"%x;%s\r\n" % (len(body), b"x" * 200_000) + body + b"\r\n0\r\n\r\n"),
        **taken,
    )
    attack("trailers", post_of(chunked, chunks[:-2] + b"x-trailer: y\r\n\r\n"), **taken)
    attack("20 in a row", raw((line + kind + length + b"\r\n" + body) * 20, 20), " ".join(["200"] * 20), received=20)
    attack(
        "the rest is of another mind",
        raw(line + kind + length + b"\r\n" + body + b"GARBAGE\r\n\r\n", 2),
        "200 400",
        received=1,
    )

    for name, path, method, want in (
        ("another path", b"/v1/metrics", b"POST", "404/12"),
        ("a longer path", b"/v1/traces/x", b"POST", "404/12"),
        ("up and down", b"/v1/../v1/traces", b"POST", "404/12"),
        ("escaped", b"/v1%2ftraces", b"POST", "404/12"),
        ("two slashes", b"//v1/traces", b"POST", "404/12"),
        ("a star", b"*", b"OPTIONS", "404/12"),
        ("a path of 10 000 bytes", b"/" + b"x" * 10_000, b"POST", "404/12"),
        ("an absolute URI without a path", b"http://example.com", b"POST", "404/12"),
        ("PUT", b"/v1/traces", b"PUT", "405/12"),
        ("DELETE", b"/v1/traces", b"DELETE", "405/12"),
        ("OPTIONS", b"/v1/traces", b"OPTIONS", "405/12"),
        ("TRACE", b"/v1/traces", b"TRACE", "405/12"),
        ("PATCH", b"/v1/traces", b"PATCH", "405/12"),
    ):
        attack(name, post_of(length, start=method + b" " + path + b" HTTP/1.1\r\nhost: x\r\n"), want)
    attack("GET", raw(b"GET /v1/traces HTTP/1.1\r\nhost: x\r\n\r\n"), "405")
    attack("HEAD", raw(b"HEAD /v1/traces HTTP/1.1\r\nhost: x\r\n\r\n", is_head=True), "405")
    attack("CONNECT", raw(b"CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n"), "404")
    attack("no type", raw(line + length + b"\r\n" + body), "415")
    for text in (
        "text/plain",
        "application/protobuf",
        "application/x-protobuf2",
        "application/x-protobuf, application/json",
        "\xff",
        "x" * 8000,
    ):
        attack("type %.30r" % text, post(body, kind=text), "415")
    attack("type with parameters", post(body, kind='Application/X-Protobuf ; a="b"'), **taken)

    for name, fields in (
        ("both lengths", length + chunked),
        ("both lengths, the other way", chunked + length),
        ("two lengths", length + b"content-length: 1\r\n"),
        ("lengths in a list", b"content-length: 5, 6\r\n"),
        ("a length with a sign", b"content-length: +5\r\n"),
        ("a negative length", b"content-length: -1\r\n"),
        ("a length in hex", b"content-length: 0x10\r\n"),
        ("a length of 2^64", b"content-length: 18446744073709551616\r\n"),
        ("an empty length", b"content-length:\r\n"),
        ("not chunked", b"transfer-encoding: identity\r\n"),
        ("chunked, but not last", b"transfer-encoding: chunked, identity\r\n"),
        ("a space before the colon", b"transfer-encoding : chunked\r\n"),
        ("chunked by a tab", b"transfer-encoding:\x0bchunked\r\n"),
        ("a folded field", b"x: a\r\n b\r\n" + chunked),
        ("a field without a name", b": x\r\n" + length),
        ("a NUL in a name", b"x\0y: z\r\n" + length),
        ("a NUL in a value", b"x: \0\r\n" + length),
        ("a CR in a value", b"x: a\rb\r\n" + length),
        ("no colon", b"nothing\r\n" + length),
    ):
        attack(name, post_of(fields), "400")
    attack("a line of 200 000 bytes", raw(b"POST /" + b"x" * 200_000 + b" HTTP/1.1\r\n\r\n"), "431")
    attack("a field of 200 000 bytes", post_of(b"x: " + b"y" * 200_000 + b"\r\n" + length), "431")
    attack("2000 fields", post_of(b"".join(b"x%d: y\r\n" % n for n in range(2000)) + length), "431")
    attack("a name of 200 000 bytes", post_of(b"x" * 200_000 + b": y\r\n" + length), "431")
    attack("trailers without end", post_of(chunked, chunks[:-2] + b"x: %s\r\n" % (b"y" * 200_000) * 2), "431")
    attack("a length past the limit", post_of(b"content-length: %d\r\n" % (limit + 1)), "413/8", too_large=1)
    attack("a length of 2^63", post_of(b"content-length: 9223372036854775808\r\n"), "413/8", too_large=1)
    attack(
        "chunks past the limit",
        post_of(chunked, b"%x\r\n" % (limit + 1) + bytes(limit + 1) + b"\r\n0\r\n\r\n"),
        "413/8",
        too_large=1,
    )
    attack("a chunk of 2^64", post_of(chunked, b"10000000000000000\r\n"), "400")
    attack("a chunk of 2^63", post_of(chunked, b"8000000000000000\r\n" + bytes(limit + 1)), "413/8", too_large=1)
    attack("a chunk of no size", post_of(chunked, b"xyz\r\n"), "400")
    attack("a negative chunk", post_of(chunked, b"-1\r\n"), "400")
    attack("a chunk longer than it says", post_of(chunked, b"1\r\n" + body + b"\r\n0\r\n\r\n"), "400")
    attack("HTTP/0.9", raw(b"GET /\r\n\r\n"), "400")
    attack("HTTP/3.0", raw(b"POST /v1/traces HTTP/3.0\r\n\r\n"), "400")
    attack("no HTTP", raw(b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3" + bytes(100)), "400")
    attack("an upgrade", post_of(length + b"connection: upgrade\r\nupgrade: h2c\r\n"), **taken)
    attack("an expectation", post_of(length + b"expect: a-miracle\r\n"), **taken)

    def half():
        connection = HTTP1(arguments.http)
        connection.send(line + kind + length + b"\r\n" + body[:10])
        connection.socket.shutdown(socket.SHUT_WR)
        return connection.answer()

    attack("half a body and the end", half, "400")

    def smuggled():
        # Were the length believed as well, the second request would be the first one's body.
        connection = HTTP1(arguments.http)
        inner = line + kind + length + b"\r\n" + body
        connection.send(line + kind + chunked + b"content-length: %d\r\n\r\n0\r\n\r\n" % (5 + len(inner)) + inner)
        return connection.answer() + " " + connection.answer()

    attack("a smuggled request", smuggled, "400 closed")


bystander = Bystander()
bystander.send()
{
    "framing": framing,
    "coding": coding,
    "nesting": nesting,
    "bytes": bytes_group,
    "names": names_group,
    "sizes": sizes,
    "http1": http1,
}[arguments.group]()
print(json.dumps(dict(totals, names=names)))
