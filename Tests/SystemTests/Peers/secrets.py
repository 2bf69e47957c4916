"""An application instrumented with the OpenTelemetry Python SDK that tells too much, in everything with attributes.

usage: secrets.py ENDPOINT REGION PEER-REGION...

Makes one trace with a client span for each peer region, and exports it by OTLP/gRPC. Ends with status 1 when the
exporter did not report success.
"""

import sys

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import Link, SpanKind

CARD = "paid with 4111111111111111 today"
endpoint, region, *peers = sys.argv[1:]


class Watched(OTLPSpanExporter):
    failed = False

    def export(self, spans):
        result = super().export(spans)
        Watched.failed = Watched.failed or result is not SpanExportResult.SUCCESS
        return result


resource = Resource.create({"service.name": "shop", "cloud.region": region, "build.note": CARD})
provider = TracerProvider(resource=resource)
provider.add_span_processor(SimpleSpanProcessor(Watched(endpoint=endpoint, insecure=True)))
tracer = provider.get_tracer("peer", "1.0", attributes={"scope.note": CARD})
for peer in peers:
    root = tracer.start_span("/api/v1/document/%s-77/update" % peer, kind=SpanKind.CLIENT)
    call = tracer.start_span("call", links=[Link(root.get_span_context(), {"link.note": CARD})])
    call.end()
    for key, value in {
        "peer.region": peer,
        "span.note": CARD,
        "notes": [CARD, "fine"],
        "api.token": "abc",
        "user.email": "a@example.com",
        "http.status_code": "404",
        "http.url": "http://example.com/a/b?q=1",
        "db.system": "postgres",
    }.items():
        root.set_attribute(key, value)
    root.add_event("event", {"event.note": CARD})
    root.end()
provider.shutdown()
sys.exit(1 if Watched.failed else 0)
