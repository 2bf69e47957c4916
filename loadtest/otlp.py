"""OTLP requests as bytes, as small as they get."""

import random
import struct


def varint(value):
    """A protobuf number."""
    head = b""
    while value > 127:
        head += bytes([value & 127 | 128])
        value >>= 7
    return head + bytes([value])


def field(number, payload):
    """A protobuf field of bytes."""
    return bytes([number << 3 | 2]) + varint(len(payload)) + payload


def framed(message):
    """A message as gRPC sends it, uncompressed."""
    return b"\0" + struct.pack(">I", len(message)) + message


def span(source, padding=0):
    """A span with new IDs and so many bytes of padding."""
    body = field(1, source.randbytes(16)) + field(2, source.randbytes(8)) + field(5, b"x")
    if padding:
        body += field(9, field(1, b"padding") + field(2, field(1, b"a" * padding)))
    return field(2, body)


def request(seed, spans, padding=0):
    """A request with a resource and so many spans."""
    source = random.Random(seed)
    scope = field(2, b"".join(span(source, padding) for _ in range(spans)))
    resource = field(1, field(1, field(1, b"service.name") + field(2, field(1, b"fair"))))
    return field(1, resource + scope)
