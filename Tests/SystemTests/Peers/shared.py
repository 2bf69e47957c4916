"""A call between two services of which each reports its half under one span ID, as B3 has it, written by py_zipkin.

usage: shared.py v1_json|v2_json|v2_proto HOST:PORT

Posts three spans in one request: the client's half, the server's half, and a span within the server.
"""

import sys
import urllib.request

from py_zipkin import Kind
from py_zipkin.encoding import Encoding, Span, create_endpoint, get_encoder

ENCODING, ADDRESS = sys.argv[1:]
encoding = {"v1_json": Encoding.V1_JSON, "v2_json": Encoding.V2_JSON, "v2_proto": Encoding.V2_PROTO3}[ENCODING]
front = create_endpoint(port=8080, service_name="front", host="10.0.0.1")
back = create_endpoint(port=9000, service_name="back", host="10.0.0.2")


def span(name, kind, span_id, parent, own, other, start, duration, **more):
    return Span(
        trace_id="5af7183fb1d4cf5f", name=name, parent_id=parent, span_id=span_id, kind=kind,
        timestamp=1_700_000_000 + start, duration=duration, local_endpoint=own, remote_endpoint=other, **more
    )


spans = [
    span("query", Kind.LOCAL, "000000000000000c", "000000000000000b", back, None, 0.5, 0.25, tags={"rows": "3"}),
    span("call", Kind.SERVER, "000000000000000b", "000000000000000a", back, front, 0.25, 1.0, shared=True),
    span("call", Kind.CLIENT, "000000000000000b", "000000000000000a", front, back, 0.0, 1.5,
         annotations={"sent": 1_700_000_000.125}),
]
encoder = get_encoder(encoding)
body = encoder.encode_queue([encoder.encode_span(one) for one in spans])
request = urllib.request.Request(
    "http://%s/api/%s/spans" % (ADDRESS, ENCODING[:2]),
    data=body if isinstance(body, bytes) else body.encode(),
    headers={"content-type": "application/x-protobuf" if ENCODING == "v2_proto" else "application/json"},
)
with urllib.request.urlopen(request, timeout=10) as answer:
    sys.exit(0 if answer.status == 202 else 1)
