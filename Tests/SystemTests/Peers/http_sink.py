"""An HTTP/1.1 back end that Longspan has no part in: OTLP/HTTP, Zipkin or Elasticsearch's bulk API.

usage: http_sink.py otlp|zipkin|elasticsearch DIRECTORY [--port P] [--refuse N] [--status S] [--retry-after TEXT]
                    [--reject K] [--busy N] [--bad NAME] [--cert FILE --key FILE] [--client-ca FILE] [--silent]
                    [--close] [--idle SECONDS]

Prints `listening PORT`. Each request that is accepted is written to DIRECTORY/NNNNNN.json before it is answered: its
path, its header fields and what it holds, read by other people's software (opentelemetry-proto, json). What does not
hold by the format's rules is written to DIRECTORY/wrong instead and answered with 400.
The first N requests are refused with the status S (503) and a Retry-After where one is given; DIRECTORY/refusals and
DIRECTORY/acceptances hold the monotonic time of each. `otlp` says that K spans were rejected. `elasticsearch` answers
429 for the first N documents it sees, each once, and 400 for documents whose span has the name NAME. `--silent` accepts
connections and never answers; `--close` ends the connection after each answer; `--idle` ends one that was not used for
so long. Ends when standard input ends.
"""

import argparse
import gzip
import http.server
import itertools
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

parser = argparse.ArgumentParser()
parser.add_argument("kind", choices=["otlp", "zipkin", "elasticsearch"])
parser.add_argument("directory")
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--refuse", type=int, default=0)
parser.add_argument("--status", type=int, default=503)
parser.add_argument("--retry-after")
parser.add_argument("--reject", type=int, default=0)
parser.add_argument("--busy", type=int, default=0)
parser.add_argument("--bad")
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--client-ca")
parser.add_argument("--silent", action="store_true")
parser.add_argument("--close", action="store_true")
parser.add_argument("--idle", type=float)
arguments = parser.parse_args()
os.makedirs(arguments.directory, exist_ok=True)
numbers = itertools.count(1)
lock = threading.Lock()
refused = 0
busy = set()


class Wrong(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Wrong(what)


def times(name):
    with open(os.path.join(arguments.directory, name), "a") as file:
        file.write("%f\n" % time.monotonic())


def otlp(body, headers):
    check(headers["content-type"] == "application/x-protobuf", "content type")
    request = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
    spans = [
        {"name": span.name, "trace": span.trace_id.hex(), "id": span.span_id.hex()}
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    response = trace_service_pb2.ExportTraceServiceResponse()
    if arguments.reject:
        response.partial_success.rejected_spans = arguments.reject
        response.partial_success.error_message = "not these"
    whole = MessageToDict(request)
    return spans, whole, 200, "application/x-protobuf", response.SerializeToString()


def zipkin(body, headers):
    """Zipkin's own rules (zipkin2-api.yaml)."""
    check(headers["content-type"] == "application/json", "content type")
    spans = json.loads(body)
    check(isinstance(spans, list), "not a list")
    for span in spans:
        check(re.fullmatch("[0-9a-f]{16}([0-9a-f]{16})?", span["traceId"]), "traceId")
        check(re.fullmatch("[0-9a-f]{16}", span["id"]), "id")
        check(re.fullmatch("[0-9a-f]{16}", span.get("parentId", "0" * 15 + "1")), "parentId")
        check(span.get("kind", "CLIENT") in ("CLIENT", "SERVER", "PRODUCER", "CONSUMER"), "kind")
        check(isinstance(span.get("name", ""), str), "name")
        for key in ("timestamp", "duration"):
            check(isinstance(span.get(key, 1), int) and span.get(key, 1) > 0, key)
        check(all(isinstance(value, str) for value in span.get("tags", {}).values()), "tags")
        for annotation in span.get("annotations", []):
            check(isinstance(annotation["timestamp"], int) and isinstance(annotation["value"], str), "annotations")
        for endpoint in ("localEndpoint", "remoteEndpoint"):
            known = {"serviceName", "ipv4", "ipv6", "port"}
            check(set(span.get(endpoint, {})) <= known, endpoint)
    names = [{"name": span.get("name", ""), "trace": span["traceId"], "id": span["id"]} for span in spans]
    return names, spans, 202, "text/plain", b""


def name_of(document):
    for path in (("name",), ("Name",), ("span", "name"), ("transaction", "name")):
        value = document
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
    for key in ("span.name", "transaction.name"):
        if isinstance(document.get(key), str):
            return document[key]
    return ""


def elasticsearch(body, headers):
    check(headers["content-type"].startswith("application/x-ndjson"), "content type")
    check(body.endswith(b"\n"), "the last line has no end")
    lines = body[:-1].split(b"\n")
    check(len(lines) % 2 == 0, "an action without a document")
    items, taken, whole = [], [], []
    for action_line, document_line in zip(lines[::2], lines[1::2]):
        action, document = json.loads(action_line), json.loads(document_line)
        (operation, place), = action.items()
        check(operation in ("create", "index"), "operation")
        check("@timestamp" in document, "a data stream wants @timestamp")
        name, key = name_of(document), document_line
        with lock:
            is_busy = key not in busy and len(busy) < arguments.busy
            if is_busy:
                busy.add(key)
        if arguments.bad and name == arguments.bad:
            error = {"type": "document_parsing_exception", "reason": "failed to parse field [secret-value]"}
            items.append({operation: {"_index": place.get("_index"), "status": 400, "error": error}})
        elif is_busy:
            error = {"type": "es_rejected_execution_exception", "reason": "queue is full"}
            items.append({operation: {"_index": place.get("_index"), "status": 429, "error": error}})
        else:
            items.append({operation: {"_index": place.get("_index"), "_id": "x", "result": "created", "status": 201}})
            taken.append({"name": name, "index": place.get("_index"), "id": json.dumps(document, sort_keys=True)})
            whole.append(document)
    answer = {"took": 1, "errors": any("error" in next(iter(item.values())) for item in items), "items": items}
    return taken, whole, 200, "application/json", json.dumps(answer).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = arguments.idle

    def log_message(self, *_):
        pass

    def do_POST(self):
        global refused
        if arguments.silent:
            time.sleep(3600)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        with lock:
            refuses = refused < arguments.refuse
            if refuses:
                refused += 1
        if refuses:
            times("refusals")
            fields = {"retry-after": arguments.retry_after} if arguments.retry_after else {}
            return self.answer(arguments.status, "text/plain", b"try later", fields)
        try:
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            elif headers.get("content-encoding") == "zstd":
                body = subprocess.run(["zstd", "-dc"], input=body, capture_output=True, check=True).stdout
            spans, whole, status, content_type, answer = globals()[arguments.kind](body, headers)
        except Exception as error:
            with open(os.path.join(arguments.directory, "wrong"), "a") as file:
                file.write("%r: %r\n" % (error, body[:2000]))
            return self.answer(400, "text/plain", repr(error).encode())
        with lock:
            times("acceptances")
            name = os.path.join(arguments.directory, "%06d.json" % next(numbers))
        with open(name + ".part", "w") as file:
            json.dump(
                {"path": self.path, "headers": headers, "spans": spans, "text": json.dumps(whole, sort_keys=True)}, file)
        os.rename(name + ".part", name)
        self.answer(status, content_type, answer)

    def answer(self, status, content_type, body, fields={}):
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        for name, value in fields.items():
            self.send_header(name, value)
        if arguments.close:
            self.send_header("connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", arguments.port), Handler)
if arguments.cert:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(arguments.cert, arguments.key)
    context.set_alpn_protocols(["http/1.1"])
    if arguments.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(arguments.client_ca)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("listening", server.server_address[1], flush=True)
sys.stdin.read()
