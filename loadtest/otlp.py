"""OTLP requests as bytes, as small as they get."""

import random


def field(number, payload):
    """A protobuf field of bytes."""
    size, head = len(payload), bytes([number << 3 | 2])
    while size > 127:
        head += bytes([size & 127 | 128])
        size >>= 7
    return head + bytes([size]) + payload


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
