"""First speed figures: spans a second and core of the relay and of the aggregator, each in its own process.

usage: first_figures.py [--binary FILE] [--rounds N] [--requests N] [CASE ...]

Runs every case in turn, round by round, each time with fresh processes, and prints the median of what the process
under test spent: its own CPU time (user and system, from /proc/PID/stat) for the spans it handled, from before the
load until nothing is held any more. Nothing is claimed of wall time. Needs h2load, openssl, and Python with
`opentelemetry-proto` and `grpcio` (deploy/test.sh puts one in .build-python).
"""

import argparse
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import payload

HERE = pathlib.Path(__file__).resolve().parent
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

# name: (process under test, how it is loaded, configuration)
CASES = {
    "relay, OTLP/gRPC in, all kept": ("relay", "grpc", {}),
    "relay, OTLP/HTTP 1.1 in, all kept": ("relay", "http1", {}),
    "relay, OTLP/gRPC in, route at 0.5": ("relay", "grpc", {"sampling": "0.5"}),
    "aggregator, TLS in, no exporter": ("aggregator", "unique", {}),
    "aggregator, TLS in, one exporter": ("aggregator", "unique", {"exporter": True}),
}

AGGREGATOR = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: "127.0.0.1:0"
        tls: {{cert_file: {certificates}/aggregator.crt, key_file: {certificates}/aggregator.key}}
stitching: {{idle_timeout: 2s, memory_limit_mib: 8192}}
{exporters}
admin: {{endpoint: "127.0.0.1:0"}}
"""

EXPORTER = """
exporters:
  otlp/back:
    endpoint: "{back}"
    compression: none
    tls: {{ca_file: {certificates}/ca.crt, server_name_override: localhost}}
"""

RELAY = """
region: us-east-1
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:0"}}
      http: {{endpoint: "127.0.0.1:0"}}
sampling: {{type: probabilistic, param: {sampling}}}
routes:
  - {{from: us-east-1, to: us-west-2, sampling: {sampling}}}
  - {{from: us-east-1, to: eu-west-1, sampling: {sampling}}}
exporters:
  otlp:
    endpoint: "{aggregator}"
    compression: none
    tls:
      ca_file: {certificates}/ca.crt
      cert_file: {certificates}/relay-us-east-1.crt
      key_file: {certificates}/relay-us-east-1.key
      server_name_override: localhost
admin: {{endpoint: "127.0.0.1:0"}}
"""


class Longspan:
    """A role as a process of its own."""

    def __init__(self, binary, role, text, folder):
        path = folder / ("%s-%d.yaml" % (role, time.monotonic_ns()))
        path.write_text(text)
        self.process = subprocess.Popen(
            [binary, role, "--config", str(path)], stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        for line in self.process.stderr:
            if " ready " in line:
                self.addresses = dict(re.findall(r"(\w+)=(\S+)", line))
                break
        else:
            sys.exit("%s did not start" % role)

    def cpu(self):
        with open("/proc/%d/stat" % self.process.pid) as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def metric(self, name, label=""):
        with urllib.request.urlopen("http://%s/metrics" % self.addresses["admin"]) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(name + r"[{ ]", line) and label in line)

    def peak_mib(self):
        with open("/proc/%d/status" % self.process.pid) as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) // 1024

    def settle(self):
        while self.metric("longspan_held_spans") > 0:
            time.sleep(0.2)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)


def load_relay(kind, relay, folder, requests):
    """h2load's view: requests that got a 2xx."""
    message, _ = payload.request(7, one_region="us-east-1")
    body = folder / "body"
    if kind == "grpc":
        body.write_bytes(payload.framed(message))
        url = "http://" + relay.addresses["otlp_grpc"] + EXPORT
        extra = ["-m", "8", "-H", "content-type: application/grpc", "-H", "te: trailers"]
    else:
        body.write_bytes(message)
        url = "http://" + relay.addresses["otlp_http"] + "/v1/traces"
        extra = ["--h1", "-H", "content-type: application/x-protobuf"]
    # Paced below what the two ends can do on one machine: a relay that is made to turn requests away is another test.
    subprocess.run(
        ["h2load", "-n", str(requests), "-c", "4", "-t", "1", "--rps", "500", "-d", str(body), *extra, url],
        check=True, stdout=subprocess.DEVNULL,
    )


def load_aggregator(aggregator, folder, requests, seed):
    # The certificate is for the name, not the address.
    target = aggregator.addresses["otlp_grpc"].replace("127.0.0.1", "localhost")
    command = [sys.executable, str(HERE / "send_unique.py"), target, str(requests // 2)]
    authority = ["--authority", str(folder / "certificates/ca.crt")]
    senders = [
        subprocess.Popen(command + [str(seed + number)] + authority, stdout=subprocess.DEVNULL) for number in range(2)
    ]
    for sender in senders:
        if sender.wait() != 0:
            sys.exit("a sender failed")


def measure(case, binary, folder, requests, seed):
    role, kind, options = CASES[case]
    certificates = folder / "certificates"
    exporter = ""
    others = []
    if options.get("exporter"):
        back = Longspan(binary, "aggregator", AGGREGATOR.format(certificates=certificates, exporters=""), folder)
        others.append(back)
        exporter = EXPORTER.format(certificates=certificates, back=back.addresses["otlp_grpc"])
    tested = aggregator = Longspan(
        binary, "aggregator", AGGREGATOR.format(certificates=certificates, exporters=exporter), folder
    )
    if role == "relay":
        others.append(aggregator)
        tested = Longspan(
            binary, "relay",
            RELAY.format(
                certificates=certificates, aggregator=aggregator.addresses["otlp_grpc"],
                sampling=options.get("sampling", "1"),
            ), folder,
        )
    before = tested.cpu()
    if role == "relay":
        load_relay(kind, tested, folder, requests)
    else:
        load_aggregator(tested, folder, requests, seed)
    tested.settle()
    cpu = tested.cpu() - before
    spans = tested.metric("longspan_received_spans_total")
    refused = tested.metric("longspan_refused_requests_total")
    handled = sum(tested.metric("longspan_outcome_spans_total", label) for label in ("forwarded", "sampled_out"))
    if refused > 0 or handled != spans or spans != requests * payload.SPANS:
        print("  not whole: %d received, %d handled, %d requests refused" % (spans, handled, refused), file=sys.stderr)
    result = (handled, cpu, tested.peak_mib())
    tested.end()
    for other in others:
        other.end()
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(HERE.parent / ".build/release/longspan"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=20000)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    arguments = parser.parse_args()
    chosen = [case for case in CASES if not arguments.cases or any(part in case for part in arguments.cases)]

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run(
            [str(HERE.parent / "deploy/certificates.sh"), str(folder / "certificates"), "localhost", "us-east-1"],
            check=True, stdout=subprocess.DEVNULL,
        )
        results = {case: [] for case in chosen}
        for number in range(arguments.rounds):
            for case in chosen:
                spans, cpu, peak = measure(case, arguments.binary, folder, arguments.requests, 1000 * number)
                results[case].append((cpu / spans * 1e6, peak))
                line = (number + 1, case, *results[case][-1])
                print("round %d  %-40s %5.2f CPU s a million spans, peak %d MiB" % line, flush=True)
    print()
    print("| process under test | CPU s a million spans (lowest to highest) | spans/s a core | peak memory |")
    print("| --- | --- | --- | --- |")
    for case, found in results.items():
        costs = sorted(cost for cost, _ in found)
        middle = statistics.median(costs)
        peak = statistics.median(peak for _, peak in found)
        row = (case, middle, costs[0], costs[-1], 1 / middle, peak)
        print("| %s | %.2f (%.2f to %.2f) | %.2f M | %d MiB |" % row)


if __name__ == "__main__":
    main()
