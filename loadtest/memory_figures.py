"""What the roles occupy: bytes a waiting span, and the resident size against the limit while more comes than fits.

usage: memory_figures.py [--binary FILE] [--spans N] [--seconds S] [--limit MIB] [CASE ...]

`held` fills an aggregator with traces that wait and divides what its resident size has grown by. The others send more
than there is room for, look at the resident size ten times a second, then let the process recover: they end when a
request is accepted again. A resident size above the limit and a tenth is said. Needs what first_figures.py needs.
"""

import argparse
import gzip
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import grpc

import payload
from first_figures import EXPORT, Longspan

HERE = pathlib.Path(__file__).resolve().parent

RECEIVERS = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
admin: {endpoint: "127.0.0.1:0"}
"""
AGGREGATOR = RECEIVERS + """
stitching: {idle_timeout: %s, max_trace_age: 1h, memory_limit_mib: %d}
"""
RELAY = RECEIVERS + """
region: us-east-1
processors: {memory_limiter: {limit_mib: %d, spike_limit_mib: %d}}
"""
EXPORTER = """
exporters:
  otlp:
    endpoint: "127.0.0.1:%d"
    tls: {insecure: true}
    retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}
    sending_queue: {max_size_mib: 4096}
"""


def resident(process):
    with open("/proc/%d/status" % process.process.pid) as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) * 1024


def send(process, requests, seed, *more):
    command = [sys.executable, str(HERE / "send_unique.py"), process.addresses["otlp_grpc"], str(requests), str(seed)]
    return subprocess.Popen(command + list(more), stdout=subprocess.PIPE, text=True)


class Watch(threading.Thread):
    """The largest resident size while it runs."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.peak, self.running = process, 0, True

    def run(self):
        while self.running:
            self.peak = max(self.peak, resident(self.process))
            time.sleep(0.1)

    def end(self):
        self.running = False
        self.join()
        return self.peak


def held(binary, folder, arguments):
    process = Longspan(binary, "aggregator", AGGREGATOR % ("1h", arguments.limit or 2048), folder)
    before = resident(process)
    sender = send(process, arguments.spans // payload.SPANS, 1)
    peak = Watch(process)
    peak.start()
    print("  accepted and refused:", sender.communicate()[0].strip())
    time.sleep(2)
    spans = process.metric("longspan_held_spans")
    grown = resident(process) - before
    print("  %d spans held; resident %.1f MiB before, grown by %.1f MiB, peak %.1f MiB: %.1f bytes a span" % (
        spans, before / 2**20, grown / 2**20, peak.end() / 2**20, grown / spans))
    process.process.kill()


def unique(process, arguments):
    """Several senders of new traces, until the time is over."""
    senders = [send(process, 10**9, seed, "--in-flight", "64") for seed in range(2)]
    time.sleep(arguments.seconds)
    for sender in senders:
        sender.kill()


def bodies(process, arguments):
    """Many requests of tens of MiB that are sent slowly, so that all of them are in flight at once."""
    message = payload.request(1)[0]
    body = message * (60 * 2**20 // len(message))
    host, port = process.addresses["otlp_http"].rsplit(":", 1)
    head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: %d\r\n\r\n"
    until = time.monotonic() + arguments.seconds

    def one():
        while time.monotonic() < until:
            try:
                with socket.create_connection((host, int(port))) as connection:
                    connection.settimeout(5)
                    connection.sendall(head % len(body))
                    for start in range(0, len(body) - 1, 2**20):
                        connection.sendall(body[start : min(start + 2**20, len(body) - 1)])
                    time.sleep(1)
            except OSError:
                time.sleep(0.1)

    threads = [threading.Thread(target=one) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def bombs(process, arguments):
    """Bodies of 60 kB that are 60 MiB once inflated."""
    message = payload.request(1)[0]
    bomb = gzip.compress(message + b"\x5a\x80\x80\x80\x1e" + bytes(60 * 2**20), 9)
    host, port = process.addresses["otlp_http"].rsplit(":", 1)
    head = (
        b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-encoding: gzip\r\n"
        b"content-length: %d\r\n\r\n" % len(bomb)
    )
    until = time.monotonic() + arguments.seconds

    def one():
        while time.monotonic() < until:
            try:
                with socket.create_connection((host, int(port))) as connection:
                    connection.settimeout(5)
                    for _ in range(20):
                        connection.sendall(head + bomb)
                        connection.recv(4096)
            except OSError:
                time.sleep(0.1)

    threads = [threading.Thread(target=one) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def recovers(process):
    """Seconds until a request is accepted again."""
    start = time.monotonic()
    with grpc.insecure_channel(process.addresses["otlp_grpc"]) as channel:
        export = channel.unary_unary(EXPORT)
        while time.monotonic() - start < 60:
            try:
                export(payload.request(int(time.monotonic() * 1000))[0], timeout=10)
                return "%.1f s" % (time.monotonic() - start)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    return "never: %s" % error.code()
                time.sleep(0.2)
    return "not within a minute"


def overload(load, role):
    def run(binary, folder, arguments):
        limit = arguments.limit or 256
        port = 1  # nobody is there
        text = RELAY % (limit, limit // 4) if role == "relay" else AGGREGATOR % ("2s", limit)
        process = Longspan(binary, role, text + EXPORTER % port, folder)
        before = resident(process)
        watch = Watch(process)
        watch.start()
        load(process, arguments)
        refused = process.metric("longspan_refused_requests_total", "overload")
        used = process.metric("longspan_memory_used_bytes")
        held = process.metric("longspan_held_spans")
        after = resident(process)
        print("  limit %d MiB; resident %.1f before, %.1f at the end, peak %.1f MiB; %.1f charged, %d spans held, %d refused"
              % (limit, before / 2**20, after / 2**20, watch.end() / 2**20, used / 2**20, held, refused))
        if watch.peak > limit * 2**20 * 1.1:
            print("  ABOVE the limit and a tenth")
        if load is not unique:
            print("  accepts again after", recovers(process), "resident %.1f MiB" % (resident(process) / 2**20))
        process.process.kill()

    return run


CASES = {
    "held": held,
    "aggregator, more spans than fit": overload(unique, "aggregator"),
    "aggregator, bodies in flight": overload(bodies, "aggregator"),
    "aggregator, bombs": overload(bombs, "aggregator"),
    "relay, more spans than fit": overload(unique, "relay"),
    "relay, bodies in flight": overload(bodies, "relay"),
    "relay, bombs": overload(bombs, "relay"),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(HERE.parent / ".build/release/longspan"))
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
            case(arguments.binary, pathlib.Path(folder), arguments)


if __name__ == "__main__":
    main()
