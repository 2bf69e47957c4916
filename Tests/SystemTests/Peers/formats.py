"""A cross-region trace of ten spans, sent in one format or another by the exporters that applications use.

usage: formats.py otlp|zipkin_json|zipkin_proto|jaeger_thrift|jaeger_grpc ENDPOINT

Two services in two regions, made with the OpenTelemetry Python SDK and exported as users do: a root in us-east-1, three
clients of it, three servers in eu-west-1 and a child of each. The trace is the same whatever the format; times are
fixed and exact in every format. Ends with status 1 when an exporter did not report success.
"""

import sys

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, set_span_in_context

FORMAT, ENDPOINT = sys.argv[1:]
START = 1_700_000_000_000_000_000
TICK = 500_000_000


def exporter():
    if FORMAT == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint="http://%s/v1/traces" % ENDPOINT)
    if FORMAT == "zipkin_json":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter

        return ZipkinExporter(endpoint="http://%s/api/v2/spans" % ENDPOINT)
    if FORMAT == "zipkin_proto":
        from opentelemetry.exporter.zipkin.proto.http import ZipkinExporter

        return ZipkinExporter(endpoint="http://%s/api/v2/spans" % ENDPOINT)
    if FORMAT == "jaeger_thrift":
        from opentelemetry.exporter.jaeger.thrift import JaegerExporter

        return JaegerExporter(collector_endpoint="http://%s/api/traces?format=jaeger.thrift" % ENDPOINT)
    from opentelemetry.exporter.jaeger.proto.grpc import JaegerExporter

    return JaegerExporter(collector_endpoint=ENDPOINT, insecure=True)


class Watched(SpanExporter):
    failed = False

    def __init__(self):
        self.inner = exporter()

    def export(self, spans):
        result = self.inner.export(spans)
        if result is not SpanExportResult.SUCCESS:
            Watched.failed = True
        return result

    def shutdown(self):
        self.inner.shutdown()


class Counting(IdGenerator):
    spans = 0

    def generate_trace_id(self):
        return 0x4BF92F3577B34DA6A3CE929D0E0E4736

    def generate_span_id(self):
        Counting.spans += 1
        return 0x00F067AA0BA90200 + Counting.spans


def provider(service, region):
    made = TracerProvider(
        id_generator=Counting(), resource=Resource({"service.name": service, "cloud.region": region})
    )
    made.add_span_processor(BatchSpanProcessor(Watched()))
    return made


east, west = provider("shop", "us-east-1"), provider("price", "eu-west-1")
shop, price = east.get_tracer("peer", "1.0"), west.get_tracer("peer", "1.0")

root = shop.start_span("GET /cart", kind=SpanKind.SERVER, start_time=START)
root.set_attribute("http.route", "/cart")
for number in range(3):
    begin = START + (1 + 8 * number) * TICK
    client = shop.start_span(
        "price", context=set_span_in_context(root), kind=SpanKind.CLIENT, start_time=begin,
        attributes={"peer.region": "eu-west-1", "number": number, "cold": number == 0, "share": 0.5},
    )
    server = price.start_span(
        "GET /price", context=set_span_in_context(client), kind=SpanKind.SERVER, start_time=begin + TICK
    )
    if number == 1:
        server.set_status(Status(StatusCode.ERROR, "no price"))
    query = price.start_span(
        "query", context=set_span_in_context(server), start_time=begin + 2 * TICK,
        links=[Link(root.get_span_context())] if number == 2 else [],
    )
    query.add_event("cache miss", {"key": "größe-%d" % number, "tries": number}, timestamp=begin + 3 * TICK)
    query.end(begin + 4 * TICK)
    server.end(begin + 5 * TICK)
    client.end(begin + 7 * TICK)
root.end(START + 26 * TICK)
east.shutdown()
west.shutdown()
sys.exit(1 if Watched.failed else 0)
