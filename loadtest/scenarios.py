"""What is measured of each contender: one run of one scenario, with processes of its own."""

import dataclasses
import time

import recorded
from measured import Longspan, Proxy, Sink, generate

AGGREGATOR = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: "127.0.0.1:0"
        tls: {{cert_file: {folder}/server.crt, key_file: {folder}/server.key}}
stitching: {{idle_timeout: {idle}, max_live_traces: 2000000, memory_limit_mib: 16384}}
{exporters}
admin: {{endpoint: "127.0.0.1:0"}}
"""

EXPORTER = """
exporters:
  otlp/back: {{endpoint: "{sink}", compression: none, tls: {{ca_file: {folder}/ca.crt, server_name_override: localhost}}}}
"""


@dataclasses.dataclass
class Figures:
    """What one run came to; None where it says nothing of the kind."""

    cpu: float = None  # seconds a million spans
    memory: float = None  # MiB, peak
    p50: float = None  # milliseconds
    p99: float = None
    bytes: float = None  # a span, in the bodies sent on
    extra: float = None  # what the scenario's `unit` says
    complaint: str = ""


def complaint(report, expected, found):
    accepted = {name: count for name, count in report["answers"].items() if name not in ("OK", "200")}
    text = ", ".join("%d %s" % (count, name) for name, count in sorted(accepted.items()))
    if expected is not None and found != expected:
        text += "; %d of %d spans came out" % (found, expected)
    return text.strip("; ")


class Through:
    """Spans through one process to a sink that counts them."""

    def __init__(self, title, load, target="", contenders=None, unit=None, **options):
        self.title, self.load, self.target, self.unit, self.options = title, load, target, unit, options
        self.contenders = contenders

    def takes(self, contender):
        return self.contenders is None or contender.name.split(" ")[0] in self.contenders

    def run(self, contender, setting):
        clear = contender.name.endswith("no TLS")
        sink = Sink(setting.loadtest, setting.folder, tls=not clear)
        process, ends = contender.start(setting.folder, sink.address, self.options)
        try:
            to = ends["http" if "http" in self.load else "grpc"]
            before = process.cpu()
            report = generate(setting.loadtest, to, *setting.scaled(self.load))
            keeps_all = self.options.get("sampling", 1) == 1
            expected = report["acceptedSpans"] if keeps_all else None
            sink.settle(expected)
            cpu = process.cpu() - before
            counts = sink.counts()
            return Figures(
                cpu=cpu / report["acceptedSpans"] * 1e6, memory=process.memory(), p50=report["latency"]["p50"],
                p99=report["latency"]["p99"], bytes=counts["bytes"] / max(counts["spans"], 1),
                extra=report["spansPerSecond"] / 1000 if self.unit else None,
                complaint=complaint(report, expected, counts["spans"]),
            )
        finally:
            process.end()
            sink.end()


class Recorded:
    """One request of 100 spans in some format, again and again, to a sink that counts them."""

    def __init__(self, title, kind, target=""):
        self.title, self.kind, self.target, self.unit = title, kind, target, None

    def takes(self, contender):
        return contender.name == "Longspan"

    def run(self, contender, setting):
        path = recorded.record(self.kind, contender.binary, setting.loadtest, setting.folder)
        sink = Sink(setting.loadtest, setting.folder)
        process, ends = contender.start(setting.folder, sink.address, {})
        try:
            before = process.cpu()
            succeeded = recorded.repeat(self.kind, ends[recorded.KINDS[self.kind][0]], path, setting.requests)
            spans = succeeded * recorded.SPANS
            sink.settle(spans)
            cpu = process.cpu() - before
            counts = sink.counts()
            failed = setting.requests - succeeded
            return Figures(
                cpu=cpu / spans * 1e6, memory=process.memory(), bytes=counts["bytes"] / max(counts["spans"], 1),
                complaint="; ".join(
                    ["%d failed" % failed] * (failed > 0)
                    + ["%d of %d spans came out" % (counts["spans"], spans)] * (counts["spans"] != spans)
                ),
            )
        finally:
            process.end()
            sink.end()


class Stitching:
    """Fragments over TLS, one connection for each region, into an aggregator."""

    def __init__(self, title, target="", exports=False):
        self.title, self.target, self.exports, self.unit = title, target, exports, None

    def takes(self, contender):
        return contender.name == "Longspan"

    def run(self, contender, setting):
        sink = Sink(setting.loadtest, setting.folder)
        exporters = EXPORTER.format(folder=setting.folder, sink=sink.address) if self.exports else ""
        text = AGGREGATOR.format(folder=setting.folder, idle="2s", exporters=exporters)
        process = Longspan(contender.binary, "aggregator", text, setting.folder)
        try:
            before = process.cpu()
            load = [*setting.scaled(REGIONS), *setting.trust]
            report = generate(setting.loadtest, process.addresses["otlp_grpc"], *load)
            process.settle()
            cpu = process.cpu() - before
            counts = sink.counts()
            return Figures(
                cpu=cpu / report["acceptedSpans"] * 1e6, memory=process.memory(), p50=report["latency"]["p50"],
                p99=report["latency"]["p99"], bytes=counts["bytes"] / max(counts["spans"], 1) or None,
                complaint=complaint(report, report["acceptedSpans"] if self.exports else None, counts["spans"]),
            )
        finally:
            process.end()
            sink.end()


class LiveTraces:
    """The same rate of new traces, of which so many are live: those of the idle timeout."""

    def __init__(self, title, live, target=""):
        self.title, self.live, self.target, self.unit = title, live, target, "live traces"

    def takes(self, contender):
        return contender.name == "Longspan"

    def run(self, contender, setting):
        rate = setting.live_rate
        idle = self.live / (rate / 5)
        text = AGGREGATOR.format(folder=setting.folder, idle="%dms" % (idle * 1000), exporters="")
        process = Longspan(contender.binary, "aggregator", text, setting.folder)
        try:
            load = ["--layout", "fragments", "--connections", 3, "--rate", rate]
            address = process.addresses["otlp_grpc"]
            # Until as many are live as there will be; from then on as many close as begin.
            fill = max(2, idle * 1.05)
            generate(setting.loadtest, address, *load, *setting.trust, "--duration", "%gs" % fill)
            before = process.cpu()
            measured = ["--duration", "%gs" % setting.live_seconds, "--seed", 2]
            report = generate(setting.loadtest, address, *load, *setting.trust, *measured)
            cpu = process.cpu() - before
            return Figures(
                cpu=cpu / report["acceptedSpans"] * 1e6, memory=process.memory(), p50=report["latency"]["p50"],
                p99=report["latency"]["p99"], extra=process.metric("stitching_live_traces"),
                complaint=complaint(report, None, None),
            )
        finally:
            process.end()


class LongLink:
    """A relay that never lacks spans, on a link of 200 ms and 1 Gbit/s: the share of it that is used."""

    def __init__(self, title, target=""):
        self.title, self.target, self.unit = title, target, "% of the link"

    def takes(self, contender):
        return contender.name == "Longspan"

    def run(self, contender, setting):
        # An aggregator's window.
        sink = Sink(setting.loadtest, setting.folder, options=["--window", "32MiB"])
        proxy = Proxy(setting.loadtest, setting.folder, sink.address, "100ms", "1Gbit")
        process, ends = contender.start(setting.folder, proxy.address, {})
        try:
            seconds = setting.link_seconds
            load = ["--connections", 4, "--in-flight", 8, "--duration", "%gs" % (seconds + 6)]
            with setting.pool() as pool:
                running = pool.submit(generate, setting.loadtest, ends["grpc"], *load)
                time.sleep(5)
                before, begin, cpu = proxy.passed(), time.monotonic(), process.cpu()
                time.sleep(seconds)
                passed, elapsed, cpu = proxy.passed() - before, time.monotonic() - begin, process.cpu() - cpu
                running.result()
            spans = passed / 490
            share = passed / elapsed / 125e6
            return Figures(cpu=cpu / spans * 1e6, memory=process.memory(), extra=100 * share)
        finally:
            process.end()
            proxy.end()
            sink.end()


class Starting:
    """From the start of the process until it says that it is ready."""

    def __init__(self, title, target=""):
        self.title, self.target, self.unit = title, target, "ms"

    def takes(self, contender):
        return contender.name == "Longspan"

    def run(self, contender, setting):
        process, _ = contender.start(setting.folder, "127.0.0.1:9", {})
        try:
            return Figures(extra=process.start_seconds * 1000, memory=process.memory())
        finally:
            process.end()


# As much as comes, from few senders: a process that is made to turn requests away is another test.
CLOSED = ["--connections", 4, "--in-flight", 4]
HTTP = ["--protocol", "http", "--connections", 16]
REGIONS = ["--layout", "fragments", "--connections", 3, "--in-flight", 4]

SCENARIOS = {
    "grpc": Through(
        "gRPC in, all kept", CLOSED, "<= 0.9, <= 1.4 x nginx, RSS <= 60 MiB", unit="k spans/s"),
    "tenth": Through("gRPC in, 10 % kept", CLOSED, "<= 0.5", ["Longspan"], sampling=0.1),
    "http": Through("HTTP 1.1 in", HTTP, "<= 1.2", ["Longspan", "rotel", "OpenTelemetry"]),
    "http-again": Recorded("HTTP 1.1 in, one OTLP request repeated", "otlp"),
    "zipkin-again": Recorded("Zipkin v2 JSON in, the same spans", "zipkin", "<= 4 x that in OTLP"),
    "jaeger-thrift-again": Recorded("Jaeger Thrift over HTTP in, the same spans", "jaeger-thrift"),
    "grpc-again": Recorded("gRPC in, the OTLP request repeated", "otlp-grpc"),
    "jaeger-grpc-again": Recorded("Jaeger gRPC in, the same spans", "jaeger-grpc"),
    "gzip": Through(
        "gzip in", [*CLOSED, "--compression", "gzip", "--pool", 2000], "<= 1.5", ["Longspan", "rotel", "OpenTelemetry"]),
    "zstd": Through("zstd out", CLOSED, "<= 1.5, fewer bytes than gzip -6", ["Longspan"], compression="zstd"),
    "gzip-out": Through("gzip out", CLOSED, "", ["Longspan", "rotel", "OpenTelemetry"], compression="gzip"),
    "disk": Through("queue on disk", CLOSED, "<= 2.0", ["Longspan"], disk=True),
    "disk-zstd": Through(
        "queue on disk, zstd out", CLOSED, "<= 2.0", ["Longspan"], disk=True, compression="zstd"),
    "paced": Through("40 k spans/s", ["--connections", 4, "--rate", 40000, "--warmup", 400], "p99 <= 2.5 ms"),
    "link": LongLink("200 ms, 1 Gbit/s", ">= 80 % of the link"),
    "aggregator": Stitching("aggregator, stitch and count", "<= 1.4"),
    "aggregator-export": Stitching("aggregator, stitched traces exported", "<= 2.2", exports=True),
    "live-thousand": LiveTraces("aggregator, 1 000 live traces", 1000),
    "live-million": LiveTraces("aggregator, 1 000 000 live traces", 1000000, "<= 1.5 x that with 1 000"),
    "start": Starting("start to ready", "<= 50 ms"),
}
