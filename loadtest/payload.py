"""OTLP requests to measure with: 100 spans of about 490 bytes with ten attributes each, in 5 resources and 20 traces.

A trace is a chain of five spans, one a resource: gateway (server, root) -> frontend (client) -> product (server) ->
inventory (client) -> order (server).
"""

import random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SERVICES = ["gateway", "frontend", "product", "inventory", "order"]
KINDS = [Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT] * 2 + [Span.SPAN_KIND_SERVER]
REGIONS = ["us-east-1", "us-east-1", "us-west-2", "us-west-2", "eu-west-1"]
AGENT = "Go-http-client/1.1 (linux; amd64) shop/4.17.2 build/9f8e7d6c5b4a3210"
TRACES = 20
SPANS = TRACES * len(SERVICES)


def attribute(target, key, value):
    pair = target.add()
    pair.key = key
    if isinstance(value, int):
        pair.value.int_value = value
    else:
        pair.value.string_value = value


def request(seed, one_region=None):
    """The request, and the trace IDs in it. With `one_region` all of it was emitted there, as a relay gets it."""
    source = random.Random(seed)
    traces = [source.randbytes(16) for _ in range(TRACES)]
    ids = [[source.randbytes(8) for _ in SERVICES] for _ in traces]
    export = ExportTraceServiceRequest()
    start = 1_790_000_000_000_000_000
    for place, service in enumerate(SERVICES):
        resource_spans = export.resource_spans.add()
        attributes = resource_spans.resource.attributes
        attribute(attributes, "service.name", service)
        attribute(attributes, "cloud.region", one_region or REGIONS[place])
        attribute(attributes, "k8s.pod.name", "%s-7d4b9c6f5-x2x%dz" % (service, place))
        attribute(attributes, "telemetry.sdk.language", "go")
        scope_spans = resource_spans.scope_spans.add()
        scope_spans.scope.name = "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
        scope_spans.scope.version = "0.58.0"
        for trace, span_ids in zip(traces, ids):
            span = scope_spans.spans.add()
            span.trace_id = trace
            span.span_id = span_ids[place]
            if place > 0:
                span.parent_span_id = span_ids[place - 1]
            span.name = "GET /api/v1/%s/{id}" % service
            span.kind = KINDS[place]
            span.start_time_unix_nano = start + place * 3_000_000
            span.end_time_unix_nano = start + 90_000_000 - place * 4_000_000
            span.flags = 0x101
            attributes = span.attributes
            attribute(attributes, "http.request.method", "GET")
            attribute(attributes, "http.response.status_code", 200)
            attribute(attributes, "http.route", "/api/v1/%s/{id}" % service)
            attribute(attributes, "url.path", "/api/v1/%s/%016x" % (service, source.getrandbits(64)))
            attribute(attributes, "server.port", 8443)
            attribute(attributes, "network.protocol.version", "1.1")
            attribute(attributes, "user_agent.original", AGENT)
            attribute(attributes, "enduser.id", "%012x" % source.getrandbits(48))
            attribute(attributes, "thread.id", source.getrandbits(12))
            if span.kind == Span.SPAN_KIND_CLIENT:
                attribute(attributes, "peer.region", REGIONS[place + 1])
            else:
                attribute(attributes, "server.address", "%s.shop.internal" % service)
    return export.SerializeToString(), traces


def framed(message):
    """A message with gRPC's five bytes before it."""
    return b"\0" + len(message).to_bytes(4, "big") + message
