#!/usr/bin/env python3
"""One service of a small shop, instrumented with the OpenTelemetry SDK and nothing of Longspan.

usage: shop.py SERVICE PORT [--calls REGION=URL ...] [--visits COUNT]

Serves HTTP on 127.0.0.1:PORT and answers each GET after calling every URL in turn, with trace context in the headers.
With --visits it makes that many visits to itself, about 20 a second, and ends. Where spans go and which region they are
of is said by the SDK's own variables: OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_RESOURCE_ATTRIBUTES=cloud.region=REGION.
"""

import argparse
import http.server
import random
import threading
import time
import urllib.error
import urllib.request

from opentelemetry import baggage, propagate
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

parser = argparse.ArgumentParser()
parser.add_argument("service")
parser.add_argument("port", type=int)
parser.add_argument("--calls", nargs="*", default=[], metavar="REGION=URL")
parser.add_argument("--visits", type=int)
arguments = parser.parse_args()

provider = TracerProvider(resource=Resource.create({"service.name": arguments.service}))
own_region = provider.resource.attributes["cloud.region"]
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=500))
tracer = provider.get_tracer("shop")


def call(region, url):
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT) as span:
        # What makes both ends of a route know it: the caller says whom it calls, and hands its own region on as
        # baggage. Where applications say neither, `regions:` in the relays' configuration tells it from addresses.
        span.set_attribute("peer.region", region)
        headers = {}
        propagate.inject(headers, baggage.set_baggage("region", own_region))
        try:
            urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10).read()
        except urllib.error.HTTPError as error:
            span.set_status(StatusCode.ERROR, str(error))


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        context = propagate.extract({name.lower(): value for name, value in self.headers.items()})
        with tracer.start_as_current_span("GET /", context=context, kind=SpanKind.SERVER) as span:
            caller_region = baggage.get_baggage("region", context)
            if caller_region:
                span.set_attribute("baggage.region", caller_region)
            for target in arguments.calls:
                call(*target.split("=", 1))
            time.sleep(random.uniform(0.005, 0.02))
            failed = not arguments.calls and random.random() < 0.1
            span.set_attribute("http.response.status_code", 500 if failed else 200)
        self.send_response(500 if failed else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), Service)
if arguments.visits is None:
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
else:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in range(arguments.visits):
        urllib.request.urlopen("http://127.0.0.1:%d/" % arguments.port).read()
        time.sleep(0.01)
provider.shutdown()
