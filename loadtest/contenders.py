"""What is measured: Longspan's relay, and what else can stand between an application and a back end."""

import importlib.util
import pathlib
import re
import subprocess

from measured import Longspan, Process, free_port, wait_for_port

RELAY = """
region: us-east-1
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:0"}}, http: {{endpoint: "127.0.0.1:0"}}}}}}
  zipkin: {{endpoint: "127.0.0.1:0"}}
  jaeger: {{protocols: {{thrift_http: {{endpoint: "127.0.0.1:0"}}, grpc: {{endpoint: "127.0.0.1:0"}}}}}}
sampling: {{type: probabilistic, param: {sampling}}}
context: {{baggage: {{enabled: true, restrictions: {{maxCount: 10, maxLength: 1024}}}}}}
routes:
  - {{from: us-east-1, to: us-west-2, sampling: {sampling}}}
  - {{from: us-east-1, to: eu-west-1, sampling: {sampling}}}
  - {{from: us-east-1, to: ap-south-1, sampling: {sampling}}}
  - {{from: us-east-1, to: sa-east-1, sampling: {sampling}}}
exporters:
  otlp:
    endpoint: "{to}"
    compression: {compression}
    {more}
    tls: {{ca_file: {folder}/ca.crt, server_name_override: localhost}}
admin: {{endpoint: "127.0.0.1:0"}}
"""

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream sink {{ server {to}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 1h; }}
  server {{
    listen 127.0.0.1:{port} http2;
    client_max_body_size 0; client_body_buffer_size 2m; keepalive_requests 1000000000; http2_body_preread_size 1m;
    location / {{
      grpc_pass {scheme}://sink; grpc_buffer_size 16k;
      grpc_ssl_protocols TLSv1.3; grpc_ssl_trusted_certificate {folder}/ca.crt; grpc_ssl_verify on;
      grpc_ssl_name localhost; grpc_ssl_server_name on;
    }}
  }}
}}
"""

OTELCOL = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{grpc}"}}, http: {{endpoint: "127.0.0.1:{http}"}}}}}}}}
processors: {{batch: {{}}}}
exporters:
  otlp: {{endpoint: "localhost:{port}", compression: {compression}, tls: {{ca_file: {folder}/ca.crt}}}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: error}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [otlp]}}}}
"""


class Relay:
    name = "Longspan"

    def __init__(self, binary):
        self.binary = binary

    def start(self, folder, sink, options):
        more = ""
        if options.get("disk"):
            storage = folder / "queue"
            storage.mkdir(exist_ok=True)
            more = "sending_queue: {storage: %s}" % storage
        text = RELAY.format(
            folder=folder, to=options.get("to", sink), more=more, sampling=options.get("sampling", 1),
            compression=options.get("compression", "none"),
        )
        process = Longspan(self.binary, "relay", text, folder)
        ends = {"grpc": "otlp_grpc", "http": "otlp_http", "zipkin": "zipkin"}
        ends |= {"jaeger_thrift": "jaeger_thrift_http", "jaeger_grpc": "jaeger_grpc"}
        return process, {end: process.addresses[name] for end, name in ends.items()}

    def version(self):
        return subprocess.run([self.binary, "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()


class Nginx:
    """The floor: it decodes nothing and batches nothing."""

    def __init__(self, tls):
        self.tls = tls
        self.name = "nginx grpc_pass, TLS out" if tls else "nginx grpc_pass, no TLS"

    def start(self, folder, sink, options):
        port = free_port()
        path = folder / "nginx.conf"
        path.write_text(NGINX.format(folder=folder, to=sink, port=port, scheme="grpcs" if self.tls else "grpc"))
        process = Process(["nginx", "-c", str(path)], folder / "nginx.log")
        wait_for_port(port)
        return process, {"grpc": "127.0.0.1:%d" % port}

    def version(self):
        text = subprocess.run(["nginx", "-v"], stderr=subprocess.PIPE, text=True).stderr
        return text.strip().rpartition(" ")[2]


class Rotel:
    """A collector in Rust. Over gRPC it compresses with gzip whatever it is told: compare it with what does, too."""

    name = "rotel (gzip out)"

    def __init__(self, binary):
        self.binary = binary

    @staticmethod
    def find():
        """The program in the installed package; None where there is none."""
        package = importlib.util.find_spec("rotel")
        binary = package and pathlib.Path(package.origin).parent / "rotel-agent"
        return str(binary) if binary and binary.exists() else None

    def start(self, folder, sink, options):
        grpc, http = free_port(), free_port()
        command = [
            self.binary, "start", "--otlp-grpc-endpoint", "127.0.0.1:%d" % grpc,
            "--otlp-http-endpoint", "127.0.0.1:%d" % http, "--otlp-grpc-max-recv-msg-size-mib", "64",
            "--exporter", "otlp", "--otlp-exporter-protocol", "grpc",
            "--otlp-exporter-endpoint", "https://localhost:" + sink.rpartition(":")[2],
            # Its published wheel refuses every file of authorities: encrypted as for the others, but not verified.
            "--otlp-exporter-tls-skip-verify",
            "--otlp-exporter-compression", "gzip",
        ]
        process = Process(command, folder / "rotel.log")
        wait_for_port(grpc)
        return process, {"grpc": "127.0.0.1:%d" % grpc, "http": "127.0.0.1:%d" % http}

    def version(self):
        return subprocess.run([self.binary, "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()


class Collector:
    name = "OpenTelemetry Collector"

    def __init__(self, binary):
        self.binary = binary

    def start(self, folder, sink, options):
        grpc, http = free_port(), free_port()
        path = folder / "otelcol.yaml"
        path.write_text(
            OTELCOL.format(
                folder=folder, grpc=grpc, http=http, port=sink.rpartition(":")[2],
                compression=options.get("compression", "none"),
            )
        )
        process = Process([self.binary, "--config", str(path)], folder / "otelcol.log")
        wait_for_port(grpc)
        return process, {"grpc": "127.0.0.1:%d" % grpc, "http": "127.0.0.1:%d" % http}

    def version(self):
        text = subprocess.run([self.binary, "--version"], stdout=subprocess.PIPE, text=True).stdout
        return re.sub(r"\s+", " ", text).strip()
