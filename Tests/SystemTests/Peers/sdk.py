"""Applications instrumented with the OpenTelemetry Python SDK: a trace across regions, exported as users do.

usage: sdk.py grpc|http ENDPOINT REGION TRACES [--peer REGION] [--seed N] [--compression gzip] [--also HOST:PORT]

Makes TRACES traces with a root server span, a client span that names the peer region and an internal child with an
event and a link, exports them through the SDK's batch processor, and prints the IDs of every span, one line each:
TRACE-ID SPAN-ID. Ends with status 1 when the exporter did not report success.
"""

import argparse
import random
import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

parser = argparse.ArgumentParser()
parser.add_argument("protocol", choices=["grpc", "http"])
parser.add_argument("endpoint")
parser.add_argument("region")
parser.add_argument("traces", type=int)
parser.add_argument("--peer", default="us-west-2")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--compression", default="none")
parser.add_argument("--also", help="HOST:PORT of an OTLP/gRPC server that gets every span as well")
arguments = parser.parse_args()

if arguments.protocol == "grpc":
    import grpc
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    compression = {"none": None, "gzip": grpc.Compression.Gzip}[arguments.compression]
    exporter = OTLPSpanExporter(endpoint=arguments.endpoint, insecure=True, compression=compression)
else:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    compression = {"none": Compression.NoCompression, "gzip": Compression.Gzip}[arguments.compression]
    exporter = OTLPSpanExporter(endpoint=arguments.endpoint + "/v1/traces", compression=compression)


class Seeded(IdGenerator):
    def __init__(self, seed):
        self.random = random.Random(seed)

    def generate_trace_id(self):
        return self.random.getrandbits(128) or 1

    def generate_span_id(self):
        return self.random.getrandbits(64) or 1


class Watched(SpanExporter):
    failed = False

    def export(self, spans):
        result = exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            Watched.failed = True
        return result

    def shutdown(self):
        exporter.shutdown()

    def force_flush(self, timeout_millis=30000):
        return exporter.force_flush(timeout_millis)


provider = TracerProvider(
    id_generator=Seeded(arguments.seed),
    resource=Resource.create({"service.name": "shop", "cloud.region": arguments.region}),
)
provider.add_span_processor(BatchSpanProcessor(Watched(), max_queue_size=1 << 16, max_export_batch_size=200))
if arguments.also:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Direct

    direct = Direct(endpoint="http://" + arguments.also, insecure=True)
    provider.add_span_processor(BatchSpanProcessor(direct, max_queue_size=1 << 16))
tracer = provider.get_tracer("peer", "1.0", schema_url="https://opentelemetry.io/schemas/1.21.0")


def note(span):
    context = span.get_span_context()
    print("%032x %016x" % (context.trace_id, context.span_id))
    return context


for number in range(arguments.traces):
    with tracer.start_as_current_span("GET /cart", kind=SpanKind.SERVER) as root:
        first = note(root)
        root.set_attribute("http.route", "/cart")
        root.set_attribute("retry.delays", [0.5, 1.0, 2.0])
        with tracer.start_as_current_span("price", kind=SpanKind.CLIENT) as call:
            note(call)
            call.set_attribute("peer.region", arguments.peer)
            call.set_attribute("number", number)
            if number % 10 == 0:
                call.set_status(Status(StatusCode.ERROR, "no answer"))
        with tracer.start_as_current_span("render", links=[Link(first, {"kind": "same"})]) as work:
            note(work)
            work.add_event("cache miss", {"key": "größe-%d" % number})
provider.shutdown()
sys.exit(1 if Watched.failed else 0)
