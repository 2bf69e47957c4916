"""Requests in other formats: recorded once, and sent again and again by h2load."""

import http.server
import json
import pathlib
import re
import subprocess
import threading

import jaeger
from measured import Longspan, generate
from otlp import framed

SPANS = 100
GRPC = ["-p", "h2c", "-m", "4", "-H", "te: trailers", "-H", "content-type: application/grpc"]
#: Which listener takes it, at what path, and what h2load is told besides.
KINDS = {
    "otlp": ("http", "/v1/traces", ["--h1", "-H", "content-type: application/x-protobuf"]),
    "otlp-grpc": ("grpc", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", GRPC),
    "zipkin": ("zipkin", "/api/v2/spans", ["--h1", "-H", "content-type: application/json"]),
    "jaeger-thrift": ("jaeger_thrift", "/api/traces", ["--h1", "-H", "content-type: application/x-thrift"]),
    "jaeger-grpc": ("jaeger_grpc", "/jaeger.api_v2.CollectorService/PostSpans", GRPC),
}

TRANSLATING = """
region: us-east-1
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:0"}}}}}}}}
processors: {{batch: {{timeout: 100ms, send_batch_size: {spans}}}}}
exporters:
  otlp: {{endpoint: "127.0.0.1:9", tls: {{insecure: true}}}}
  zipkin: {{endpoint: "http://{to}/api/v2/spans"}}
admin: {{endpoint: "127.0.0.1:0"}}
"""


class Recorder:
    """An HTTP server that accepts everything and keeps the bodies."""

    def __init__(self):
        self.bodies, self.came = [], threading.Event()
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                recorder.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()
                recorder.came.set()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def body(self):
        """The first, when it has come."""
        if not self.came.wait(30):
            raise RuntimeError("nothing was recorded")
        self.server.shutdown()
        return self.bodies[0]


def one_request(spans):
    return ["--protocol", "http", "--spans", spans, "--requests", 1]


def otlp(loadtest, spans=SPANS):
    """One OTLP request of the load generator's."""
    recorder = Recorder()
    generate(loadtest, recorder.address, *one_request(spans))
    return recorder.body()


def zipkin(longspan, loadtest, folder):
    """The same spans as a relay's exporter writes them in Zipkin v2 JSON."""
    recorder = Recorder()
    relay = Longspan(longspan, "relay", TRANSLATING.format(to=recorder.address, spans=SPANS), folder)
    try:
        generate(loadtest, relay.addresses["otlp_http"], *one_request(SPANS))
        return recorder.body()
    finally:
        relay.process.kill()
        relay.end()


def record(kind, longspan, loadtest, folder):
    """The file with the recorded body of this kind; made where it is not there."""
    path = pathlib.Path(folder) / ("recorded." + kind)
    if not path.exists():
        path.write_bytes(body(kind, longspan, loadtest, folder))
    return path


def body(kind, longspan, loadtest, folder):
    if kind == "otlp":
        return otlp(loadtest)
    if kind == "otlp-grpc":
        return framed(record("otlp", longspan, loadtest, folder).read_bytes())
    if kind == "zipkin":
        return zipkin(longspan, loadtest, folder)
    spans = json.loads(record("zipkin", longspan, loadtest, folder).read_bytes())
    return jaeger.Thrift.batch(spans) if kind == "jaeger-thrift" else jaeger.Protobuf.message(spans)


def repeat(kind, address, path, requests):
    """Sends the body so many times; the number of requests that succeeded."""
    _, target, options = KINDS[kind]
    command = ["h2load", "-n", str(requests), "-c", "16", "-d", str(path), *options]
    text = subprocess.run(
        [*command, "http://" + address + target], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return int(re.search(r"(\d+) succeeded", text)[1])
