"""Relays and an aggregator as processes that are killed and started again, on the same ports and the same disks."""

import os
import random
import signal
import socket
import subprocess
import time
import urllib.request

READY_SECONDS = 60


class Ended(Exception):
    """A process ended, or did not begin, without having been told to."""


def free_port():
    """A port to come back to: none of those the system gives to whoever connects or asks for any."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        lowest = int(file.read().split()[0])
    while True:
        port = random.SystemRandom().randrange(max(1024, lowest // 2), lowest)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Role:
    """One process, over all its lives."""

    def __init__(self, binary, folder, name, role, configuration, admin):
        self.binary, self.name, self.role, self.admin = binary, name, role, admin
        self.file = os.path.join(folder, name + ".yaml")
        self.log = os.path.join(folder, name + ".log")
        with open(self.file, "w") as file:
            file.write(configuration)
        self.process, self.starts, self.slowest_start = None, 0, 0.0

    def start(self):
        """Starts it and waits until it is ready."""
        began = time.monotonic()
        with open(self.log, "ab") as log:
            place = log.tell()
            self.process = subprocess.Popen([self.binary, self.role, "--config", self.file], stderr=log)
        self.starts += 1
        while not self.is_ready(place):
            if self.process.poll() is not None:
                raise Ended("%s did not start, status %d:\n%s" % (self.name, self.process.returncode, self.tail()))
            if time.monotonic() - began > READY_SECONDS:
                raise Ended("%s was not ready in time:\n%s" % (self.name, self.tail()))
            time.sleep(0.01)
        self.slowest_start = max(self.slowest_start, time.monotonic() - began)

    def is_ready(self, place):
        with open(self.log, "rb") as log:
            log.seek(place)
            return any(b" ready" in line for line in log if line.endswith(b"\n"))

    def end(self, how):
        """Ends it by a signal; it must have lived until then."""
        if self.process.poll() is not None:
            raise Ended("%s ended by itself, status %d:\n%s" % (self.name, self.process.returncode, self.tail()))
        self.process.send_signal(how)
        status = self.process.wait()
        if how == signal.SIGTERM and status != 0:
            raise Ended("%s did not drain, status %d:\n%s" % (self.name, status, self.tail()))

    def scrape(self):
        """What `/metrics` says: values by (name, sorted labels)."""
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % self.admin, timeout=10) as answer:
            return parse(answer.read().decode())

    def tail(self, lines=15):
        with open(self.log, errors="replace") as log:
            return "".join("    " + line for line in log.readlines()[-lines:])


def parse(text):
    values = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        series, value = line.rsplit(" ", 1)
        name, _, labels = series.partition("{")
        pairs = [label.split("=", 1) for label in labels.rstrip("}").split(",") if label]
        values[name, tuple(sorted((key, value.strip('"')) for key, value in pairs))] = float(value)
    return values


def total(values, name, **labels):
    wanted = set(labels.items())
    return sum(value for (metric, found), value in values.items() if metric == name and wanted <= set(found))


def accounts(values):
    """Spans received, gone and held."""
    names = "longspan_received_spans_total", "longspan_outcome_spans_total", "longspan_held_spans"
    return tuple(int(total(values, name)) for name in names)


def relay(binary, folder, region, aggregator, storage):
    ports = {name: free_port() for name in ("grpc", "http", "admin")}
    queue = "{storage: %s}" % os.path.join(folder, "queue-" + region) if storage else "{}"
    made = Role(binary, folder, "relay-" + region, "relay", """region: %s
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%d"}, http: {endpoint: "127.0.0.1:%d"}}}}
processors: {batch: {timeout: 100ms}}
exporters:
  otlp:
    endpoint: "127.0.0.1:%d"
    timeout: 5s
    tls: {insecure: true}
    retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}
    sending_queue: %s
admin: {endpoint: "127.0.0.1:%d"}
""" % (region, ports["grpc"], ports["http"], aggregator, queue, ports["admin"]), ports["admin"])
    made.grpc, made.http = ports["grpc"], ports["http"]
    return made


def aggregator(binary, folder, sink, idle, storage):
    port, admin = free_port(), free_port()
    journal = ", storage: %s" % os.path.join(folder, "journal") if storage else ""
    made = Role(binary, folder, "aggregator", "aggregator", """receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%d"}}}}
stitching: {idle_timeout: %gs%s}
exporters:
  otlp:
    endpoint: "127.0.0.1:%d"
    compression: none
    timeout: 5s
    tls: {insecure: true}
    retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}
admin: {endpoint: "127.0.0.1:%d"}
""" % (port, idle, journal, sink, admin), admin)
    made.grpc = port
    return made


def knows_storage(binary, folder):
    """Whether the binary takes the storage keys."""
    probes = relay(binary, folder, "probe", 1, True), aggregator(binary, folder, 1, 1, True)
    results = [
        subprocess.run([binary, "validate", "--role", probe.role, "--config", probe.file], capture_output=True)
        for probe in probes
    ]
    for probe in probes:
        os.remove(probe.file)
    return all(result.returncode == 0 for result in results)
