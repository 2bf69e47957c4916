"""Names without number and traces without end: what they leave behind in a process, and in its metrics.

usage: cardinality.py [names|mixed|wide|traces] [--binary PATH] [--count N]
       cardinality.py names|mixed|wide|traces --grpc HOST:PORT [--count N]

With --binary (the release build by default) it starts an aggregator and a relay with their defaults, sends one or each
of the four to both, a million by default, and says what the process answered, how much memory it took and how many
series each metric has.

names   client spans and their servers, each in a region, a service, under a span name that nobody has used before
mixed   the same, of 100 regions and 1000 services that are used in every combination
wide    one trace of so many spans
traces  so many traces of one span
"""

import argparse
import collections
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

import grpc

from otlp import field

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PAIRS = 250
SPANS = 1000
START = 1_700_000_000_000_000_000


def attribute(key, value):
    return field(1, key) + field(2, field(1, value))


def span(trace, own, parent, name, kind, more=b""):
    ids = field(1, trace) + field(2, own) + (field(4, parent) if parent else b"")
    times = b"\x39" + struct.pack("<Q", START) + b"\x41" + struct.pack("<Q", START + 1_000_000)
    return field(2, ids + field(5, name) + bytes([0x30, kind]) + times + more)


def resource_spans(service, region, spans):
    resource = field(1, attribute(b"service.name", service)) + field(1, attribute(b"cloud.region", region))
    return field(1, field(1, resource) + field(2, spans))


def names(count):
    """Requests of client-server pairs, no name of which comes twice."""
    return pairs(count, lambda number: (number, number))


def mixed(count):
    """Requests of client-server pairs of a few regions and services, in every combination."""
    return pairs(count, lambda number: (random.randrange(50), random.randrange(500)))


def pairs(count, pick):
    for first in range(0, count, PAIRS):
        message = b""
        for number in range(first, min(first + PAIRS, count)):
            trace, client, server = os.urandom(16), os.urandom(8), os.urandom(8)
            call, answer = b"call %d" % number, b"answer %d" % number
            region, service = pick(number)
            here, there = b"region-a%d" % region, b"region-b%d" % pick(number)[0]
            peer = field(9, attribute(b"peer.region", there))
            status = field(15, b"\x18\2")
            message += resource_spans(b"client-%d" % service, here, span(trace, client, b"", call, 3, peer + status))
            message += resource_spans(
                b"server-%d" % pick(number)[1], there, span(trace, server, client, answer, 2, status)
            )
        yield message


def wide(count):
    trace, root = os.urandom(16), os.urandom(8)
    for first in range(0, count, SPANS):
        spans = b"".join(
            span(trace, root if number == 0 else os.urandom(8), b"" if number == 0 else root, b"wide", 1)
            for number in range(first, min(first + SPANS, count))
        )
        yield resource_spans(b"wide", b"here", spans)


def traces(count):
    for first in range(0, count, SPANS):
        spans = b"".join(
            span(os.urandom(16), os.urandom(8), b"", b"narrow", 2) for _ in range(first, min(first + SPANS, count))
        )
        yield resource_spans(b"narrow", b"here", spans)


KINDS = {"names": names, "mixed": mixed, "wide": wide, "traces": traces}


def send(kind, address, count):
    """Sends all requests, each until it is taken; how often each answer came."""
    answers = collections.Counter()
    with grpc.insecure_channel(address, options=[("grpc.enable_retries", 0)]) as channel:
        export = channel.unary_unary(EXPORT)
        for message in KINDS[kind](count):
            while True:
                try:
                    export(message, timeout=60)
                    answers["OK"] += 1
                    break
                except grpc.RpcError as error:
                    answers[error.code().name] += 1
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        break
                    time.sleep(0.05)
    return answers


# A process of its own


AGGREGATOR = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
admin: {endpoint: "127.0.0.1:0"}
"""
RELAY = """
region: here
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
exporters: {otlp: {endpoint: "%s", tls: {insecure: true}}}
admin: {endpoint: "127.0.0.1:0"}
"""


class Running:
    def __init__(self, binary, role, configuration):
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, role + ".yaml")
        with open(path, "w") as file:
            file.write(configuration)
        self.process = subprocess.Popen([binary, role, "--config", path], stderr=subprocess.PIPE, text=True)
        line = ""
        while " ready " not in line:
            line = self.process.stderr.readline()
            if not line:
                sys.exit("%s did not start" % role)
        self.addresses = dict(re.findall(r"(\w+)=([\d.]+:\d+)", line))

    def memory(self, name):
        with open("/proc/%d/status" % self.process.pid) as file:
            return int(re.search(name + r":\s+(\d+) kB", file.read())[1]) >> 10

    def metrics(self):
        with urllib.request.urlopen("http://%s/metrics" % self.addresses["admin"]) as answer:
            return answer.read().decode()

    def end(self):
        self.process.terminate()
        self.process.wait()


def value(text, name):
    return sum(float(line.split(" ")[-1]) for line in text.splitlines() if re.match(name + r"[{ ]", line))


def series(text):
    """Series by metric; the buckets of a histogram are one."""
    found = collections.defaultdict(set)
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels = re.match(r"([a-z_0-9]+)(\{.*\})? ", line).groups()
            found[re.sub("_(bucket|sum|count)$", "", name)].add(re.sub(r',?le="[^"]*"', "", labels or ""))
    return {name: len(labels) for name, labels in found.items()}


def report(role, kind, process, count):
    began = time.monotonic()
    answers = send(kind, process.addresses["otlp_grpc"], count)
    sent = time.monotonic() - began
    began = time.monotonic()
    text = process.metrics()
    print("%s, %s of %d: %.0f s, answers %s" % (role, kind, count, sent, dict(answers)))
    print("  memory %d MiB, at most %d MiB" % (process.memory("VmRSS"), process.memory("VmHWM")))
    print("  scrape: %d KiB in %.2f s" % (len(text) >> 10, time.monotonic() - began))
    for outcome in re.findall(r'longspan_outcome_spans_total\{outcome="(\w+)"\} [1-9]', text):
        name = r'longspan_outcome_spans_total\{outcome="%s"\}' % outcome
        print("  %s: %d" % (outcome, value(text, name)))
    held = value(text, "longspan_held_spans")
    lost = value(text, "longspan_received_spans_total") - value(text, "longspan_outcome_spans_total") - held
    print("  held: %d, not accounted for: %d" % (held, lost))
    many = {name: number for name, number in series(text).items() if number > 50}
    print("  series: %s" % json.dumps(many, indent=None), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", nargs="?", choices=list(KINDS))
    parser.add_argument("--grpc")
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build/release/longspan"))
    parser.add_argument("--count", type=int, default=1_000_000)
    arguments = parser.parse_args()
    if arguments.grpc:
        print(json.dumps(send(arguments.kind, arguments.grpc, arguments.count)))
        return
    for kind in [arguments.kind] if arguments.kind else KINDS:
        aggregator = Running(arguments.binary, "aggregator", AGGREGATOR)
        report("aggregator", kind, aggregator, arguments.count)
        relay = Running(arguments.binary, "relay", RELAY % aggregator.addresses["otlp_grpc"])
        report("relay", kind, relay, arguments.count)
        relay.end()
        aggregator.end()


main()
