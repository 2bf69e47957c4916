"""What the roles occupy: bytes a waiting span, and the resident size against the limit while more comes than fits.

usage: memory_figures.py [--binary FILE] [--loadtest FILE] [--spans N] [--seconds S] [--limit MIB] [CASE ...]

`held` fills an aggregator with traces that wait and divides what its resident size has grown by. The others send more
than there is room for, look at the resident size ten times a second, then see how soon a request is accepted again. A
resident size above the limit and a tenth is said. CASEs are parts of their names.
"""

import argparse
import gzip
import http.client
import pathlib
import socket
import tempfile
import threading
import time

from measured import Longspan, free_port, generate
from otlp import request

ROOT = pathlib.Path(__file__).resolve().parent.parent

RECEIVERS = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
admin: {endpoint: "127.0.0.1:0"}
"""
AGGREGATOR = RECEIVERS + "stitching: {idle_timeout: %s, max_trace_age: 1h, memory_limit_mib: %d}\n"
RELAY = RECEIVERS + "region: us-east-1\nprocessors: {memory_limiter: {limit_mib: %d, spike_limit_mib: %d}}\n"
# Nobody is there, so nothing leaves.
EXPORTER = """
exporters:
  otlp:
    endpoint: "127.0.0.1:%d"
    tls: {insecure: true}
    sending_queue: {max_size_mib: 4096}
"""
BODY_BYTES = 60 << 20
CONNECTIONS = 40
HEAD = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: %d\r\n"


class Watch(threading.Thread):
    """The largest resident size while it runs, in MiB."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.peak, self.running = process, 0, True

    def run(self):
        while self.running:
            self.peak = max(self.peak, self.process.memory("VmRSS"))
            time.sleep(0.1)

    def end(self):
        self.running = False
        self.join()
        return self.peak


def held(arguments, folder):
    # With an exporter: where nobody takes spans, their bytes are not held.
    text = AGGREGATOR % ("1h", arguments.limit or 2048) + EXPORTER % free_port()
    process = Longspan(arguments.binary, "aggregator", text, folder)
    before = process.memory("VmRSS")
    requests = arguments.spans // 100
    report = generate(
        arguments.loadtest, process.addresses["otlp_grpc"], "--layout", "aggregator", "--requests", requests
    )
    # Free pages go back.
    time.sleep(8)
    spans, grown = process.metric("longspan_held_spans"), process.memory("VmRSS") - before
    print("  %s; %d spans held; resident %.1f MiB before, grown by %.1f MiB: %.1f bytes a span" % (
        report["answers"], spans, before, grown, grown * 2**20 / spans))
    process.process.kill()


def spans(process, arguments):
    """New traces, as fast as they are taken."""
    generate(
        arguments.loadtest, process.addresses["otlp_grpc"], "--layout", "aggregator", "--in-flight", 64,
        "--duration", "%gs" % arguments.seconds,
    )


def hammer(process, arguments, session):
    """Has many connections do the same until the time is over."""
    host, port = process.addresses["otlp_http"].rsplit(":", 1)
    until = time.monotonic() + arguments.seconds

    def one():
        while time.monotonic() < until:
            try:
                with socket.create_connection((host, int(port))) as connection:
                    connection.settimeout(5)
                    session(connection)
            except OSError:
                time.sleep(0.1)

    threads = [threading.Thread(target=one) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def bodies(process, arguments):
    """Bodies of 60 MiB that never come to their end, all at once."""
    body = request(1, BODY_BYTES // 20000, 20000)

    def session(connection):
        connection.sendall(HEAD % (len(body) + 1) + b"\r\n")
        for start in range(0, len(body), 1 << 20):
            connection.sendall(body[start : start + (1 << 20)])
        time.sleep(1)

    hammer(process, arguments, session)


def bombs(process, arguments):
    """Bodies of 60 kB that are 60 MiB once inflated."""
    bomb = gzip.compress(request(1, BODY_BYTES // 20000, 20000), 9)

    def session(connection):
        for _ in range(20):
            connection.sendall(HEAD % len(bomb) + b"content-encoding: gzip\r\n\r\n" + bomb)
            connection.recv(4096)

    hammer(process, arguments, session)


def recovery(process):
    """How soon a request is accepted again."""
    start = time.monotonic()
    while time.monotonic() - start < 60:
        client = http.client.HTTPConnection(process.addresses["otlp_http"], timeout=10)
        client.request(
            "POST", "/v1/traces", request(int(time.monotonic() * 1000), 1, 1),
            {"content-type": "application/x-protobuf"},
        )
        if client.getresponse().status == 200:
            return "after %.1f s" % (time.monotonic() - start)
        time.sleep(0.2)
    return "not within a minute"


def overload(load, role):
    def run(arguments, folder):
        limit = arguments.limit or 256
        text = RELAY % (limit, limit // 4) if role == "relay" else AGGREGATOR % ("2s", limit)
        process = Longspan(arguments.binary, role, text + EXPORTER % free_port(), folder)
        before = process.memory("VmRSS")
        watch = Watch(process)
        watch.start()
        load(process, arguments)
        peak = watch.end()
        print("  limit %d MiB; resident %.1f before, peak %.1f MiB; %d spans held, %d requests turned away" % (
            limit, before, peak, process.metric("longspan_held_spans"),
            process.metric("longspan_refused_requests_total", "overload")))
        if peak > limit * 1.1:
            print("  ABOVE the limit and a tenth")
        # With the queue full of spans nothing is accepted before somebody takes them.
        if load is not spans:
            print("  accepts again %s; resident %.1f MiB" % (recovery(process), process.memory("VmRSS")))
        process.process.kill()

    return run


CASES = {"held": held}
for role in ("aggregator", "relay"):
    CASES["%s, more spans than fit" % role] = overload(spans, role)
    CASES["%s, bodies in flight" % role] = overload(bodies, role)
    CASES["%s, bombs" % role] = overload(bombs, role)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / ".build/release/longspan"))
    parser.add_argument("--loadtest", default=str(ROOT / ".build/release/longspan-loadtest"))
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--limit", type=int)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    arguments = parser.parse_args()
    for name, case in CASES.items():
        if arguments.cases and not any(part in name for part in arguments.cases):
            continue
        print(name, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            case(arguments, pathlib.Path(folder))


if __name__ == "__main__":
    main()
