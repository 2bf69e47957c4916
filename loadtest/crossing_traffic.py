"""Traces that cross two regions, and the truth about them: what an aggregator must have counted once all have closed.

Every choice comes from a seed. A trace's spans come in two halves, as each region's services send them to the region's
relay; truth is counted when a trace is made, because its senders do not rest until both halves are acknowledged.
"""

import collections
import random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

REGIONS = ("us-east-1", "eu-west-1")
START = 1_790_000_000_000_000_000
MILLISECOND = 1_000_000


class Truth:
    """Expected series: what `/metrics` must say, by name and labels."""

    def __init__(self):
        self.series = collections.Counter()

    def add(self, metric, labels, value=1):
        self.series[metric, tuple(sorted(labels.items()))] += value

    def observe(self, metric, labels, seconds):
        self.add(metric + "_count", labels)
        self.add(metric + "_sum", labels, seconds)

    def merge(self, other):
        self.series.update(other.series)


class Traffic:
    """Makes requests of whole traces, split by region, and keeps the truth about them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.truth = Truth()

    def requests(self, traces):
        """A request for each region (or none for a region without spans), and each one's span IDs."""
        self.requests_by_region = {region: {} for region in REGIONS}
        for _ in range(traces):
            self.trace()
        made = {}
        for region, by_service in self.requests_by_region.items():
            message, ids = ExportTraceServiceRequest(), []
            for service, spans in by_service.items():
                resource = message.resource_spans.add()
                text(resource.resource.attributes, "service.name", service)
                text(resource.resource.attributes, "cloud.region", region)
                resource.scope_spans.add().spans.extend(spans)
                ids += [span.span_id for span in spans]
            if ids:
                made[region] = message.SerializeToString(), ids
        return made

    def trace(self):
        self.id = self.random.randbytes(16)
        self.pairs, self.failed = set(), set()
        home = self.random.choice(REGIONS)
        away = REGIONS[1 - REGIONS.index(home)]
        duration = self.random.randrange(100, 900)
        root = self.span("gateway", home, None, Span.SPAN_KIND_SERVER, duration)
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            order = self.call(root, "gateway", home, "orders", away)
            if self.random.random() < 0.3:
                self.call(order, "orders", away, "stock", home)
        if self.random.random() < 0.4:
            self.call(root, "gateway", home, "cart", home)
        if self.random.random() < 0.3:
            self.span("gateway", home, root, Span.SPAN_KIND_INTERNAL, 5)
        scope = "cross_region" if self.pairs else "local"
        self.truth.add("stitching_traces_total", {"scope": scope, "complete": "true"})
        self.truth.observe("trace_duration_seconds", {"service": "gateway"}, duration / 1000)
        for pair in self.pairs:
            self.truth.add("trace_count", {"source_region": pair[0], "target_region": pair[1]})
        for service in self.failed:
            self.truth.add("trace_errors_total", {"service": service})

    def span(self, service, region, parent, kind, milliseconds, error=False, peer=None):
        span = Span(trace_id=self.id, span_id=self.random.randbytes(8), name=service, kind=kind)
        if parent is not None:
            span.parent_span_id = parent.span_id
        span.start_time_unix_nano = START
        span.end_time_unix_nano = START + milliseconds * MILLISECOND
        text(span.attributes, "enduser.id", "%016x" % self.random.getrandbits(64))
        if peer is not None:
            text(span.attributes, "peer.region", peer)
        if error:
            span.status.code = 2
            self.failed.add(service)
        self.requests_by_region[region].setdefault(service, []).append(span)
        return span

    def call(self, parent, client, source, server, target):
        """A client span and the server span it leads to."""
        client_time, server_time = self.random.randrange(10, 90), self.random.randrange(1, 95)
        errors = self.random.random() < 0.1, self.random.random() < 0.1
        kinds = Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER
        caller = self.span(client, source, parent, kinds[0], client_time, errors[0], target)
        callee = self.span(server, target, caller, kinds[1], server_time, errors[1])
        edge = {"client": client, "server": server, "client_region": source, "server_region": target}
        graph = "traces_service_graph_request_"
        self.truth.add(graph + "total", edge)
        self.truth.observe(graph + "client_seconds", edge, client_time / 1000)
        self.truth.observe(graph + "server_seconds", edge, server_time / 1000)
        if any(errors):
            self.truth.add(graph + "failed_total", edge)
        if source == target:
            return callee
        pair = {"source_region": source, "target_region": target}
        self.pairs.add((source, target))
        self.truth.add("region_flow_requests_total", pair)
        self.truth.add("region_flow_bytes_total", pair, callee.ByteSize())
        self.truth.observe("region_flow_client_seconds", pair, client_time / 1000)
        self.truth.observe("region_flow_server_seconds", pair, server_time / 1000)
        self.truth.observe("region_flow_network_seconds", pair, max(0, client_time - server_time) / 1000)
        if any(errors):
            self.truth.add("region_flow_errors_total", pair)
        return callee


def text(attributes, key, value):
    pair = attributes.add()
    pair.key = key
    pair.value.string_value = value
