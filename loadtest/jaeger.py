"""Spans of Zipkin v2 JSON as Jaeger's clients send them: a batch in Thrift's binary protocol, and one for gRPC."""

import struct

import otlp

KINDS = {"CLIENT": "client", "SERVER": "server", "PRODUCER": "producer", "CONSUMER": "consumer"}
STOP = b"\0"
INT32, INT64, STRING, STRUCT, LIST = 8, 10, 11, 12, 15


def tags(span):
    """Names with values: texts, and the numbers that a client would not have made texts of."""
    found = {name: int(text) if text.isdecimal() and len(text) < 10 else text for name, text in span["tags"].items()}
    if span.get("kind"):
        found["span.kind"] = KINDS[span["kind"]]
    return found


def events(span):
    return [(event["timestamp"], {"event": event["value"]}) for event in span.get("annotations", [])]


class Thrift:
    """Jaeger's `Batch` (jaeger.thrift) in the binary protocol."""

    @staticmethod
    def field(kind, number, value):
        head = struct.pack(">bh", kind, number)
        if kind == INT32:
            return head + struct.pack(">i", value)
        if kind == INT64:
            return head + struct.pack(">q", value - (1 << 64) if value >> 63 else value)
        if kind == STRING:
            return head + struct.pack(">i", len(value.encode())) + value.encode()
        return head + value

    @classmethod
    def list(cls, number, structs):
        return cls.field(LIST, number, struct.pack(">bi", STRUCT, len(structs)) + b"".join(structs))

    @classmethod
    def tag(cls, name, value):
        is_number = isinstance(value, int)
        return (
            cls.field(STRING, 1, name)
            + cls.field(INT32, 2, 3 if is_number else 0)
            + (cls.field(INT64, 6, value) if is_number else cls.field(STRING, 3, value))
            + STOP
        )

    @classmethod
    def tags(cls, number, found):
        return cls.list(number, [cls.tag(*pair) for pair in found.items()])

    @classmethod
    def span(cls, span):
        trace = int(span["traceId"], 16)
        logs = [cls.field(INT64, 1, at) + cls.tags(2, fields) + STOP for at, fields in events(span)]
        return (
            cls.field(INT64, 1, trace & (1 << 64) - 1)
            + cls.field(INT64, 2, trace >> 64)
            + cls.field(INT64, 3, int(span["id"], 16))
            + cls.field(INT64, 4, int(span.get("parentId", "0"), 16))
            + cls.field(STRING, 5, span["name"])
            + cls.field(INT32, 7, 1)
            + cls.field(INT64, 8, span["timestamp"])
            + cls.field(INT64, 9, span["duration"])
            + cls.tags(10, tags(span))
            + (cls.list(11, logs) if logs else b"")
            + STOP
        )

    @classmethod
    def batch(cls, spans):
        process = cls.field(STRING, 1, spans[0]["localEndpoint"]["serviceName"]) + STOP
        return cls.field(STRUCT, 1, process) + cls.list(2, [cls.span(span) for span in spans]) + STOP


class Protobuf:
    """A gRPC message with Jaeger's `PostSpansRequest` (collector.proto, model.proto)."""

    @staticmethod
    def number(number, value):
        return bytes([number << 3]) + otlp.varint(value)

    @classmethod
    def tag(cls, number, name, value):
        body = otlp.field(1, name.encode())
        if isinstance(value, int):
            body += cls.number(2, 2) + cls.number(5, value)
        else:
            body += otlp.field(3, value.encode())
        return otlp.field(number, body)

    @classmethod
    def tags(cls, number, found):
        return b"".join(cls.tag(number, *pair) for pair in found.items())

    @classmethod
    def time(cls, number, microseconds):
        seconds, rest = divmod(microseconds, 1000000)
        return otlp.field(number, cls.number(1, seconds) + cls.number(2, rest * 1000))

    @classmethod
    def span(cls, span):
        trace = bytes.fromhex(span["traceId"])
        body = otlp.field(1, trace) + otlp.field(2, bytes.fromhex(span["id"])) + otlp.field(3, span["name"].encode())
        if "parentId" in span:
            body += otlp.field(4, otlp.field(1, trace) + otlp.field(2, bytes.fromhex(span["parentId"])))
        body += cls.number(5, 1) + cls.time(6, span["timestamp"]) + cls.time(7, span["duration"])
        body += cls.tags(8, tags(span))
        for at, fields in events(span):
            body += otlp.field(9, cls.time(1, at) + cls.tags(2, fields))
        return otlp.field(1, body)

    @classmethod
    def message(cls, spans):
        process = otlp.field(2, otlp.field(1, spans[0]["localEndpoint"]["serviceName"].encode()))
        request = otlp.field(1, b"".join(map(cls.span, spans)) + process)
        return otlp.framed(request)
