"""Senders that go on until they are told to end, and know exactly which spans were acknowledged.

usage: load.py --grpc HOST:PORT --http HOST:PORT --senders N --spans K --seed S [--requests R] [--until-failure]
               [--region REGION] [--pause SECONDS] [--insist [--timeout SECONDS]]

Half of the senders speak OTLP/gRPC (grpcio), half OTLP/HTTP (http.client). Each sends requests one after the other, K
spans in a request: half of them begin a trace, the others are their children, which go with the sender's next request.
A sender ends after R requests, when standard input ends, or with --until-failure after its first request that was not
acknowledged; otherwise it sends a request that was turned away as overload again until it is taken. With --insist it
does so whatever became of the request, over a new connection where no answer came in time, even past the end of input.

Prints one JSON object: {"acknowledged": [span IDs], "sent": number of spans, "answers": {answer: count},
"retry_hints": smallest delay a refusal asked for, in seconds, or null, "hintless": refusals without one}.
"""

import argparse
import collections
import http.client
import json
import random
import sys
import threading
import time

import grpc
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

parser = argparse.ArgumentParser()
parser.add_argument("--grpc")
parser.add_argument("--http")
parser.add_argument("--senders", type=int, default=4)
parser.add_argument("--spans", type=int, default=20)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--requests", type=int, default=0)
parser.add_argument("--padding", type=int, default=0)
parser.add_argument("--region", default="us-east-1")
parser.add_argument("--until-failure", action="store_true")
parser.add_argument("--pause", type=float, default=0.0)
parser.add_argument("--insist", action="store_true")
parser.add_argument("--timeout", type=float, default=60.0)
arguments = parser.parse_args()

lock = threading.Lock()
ended = threading.Event()
acknowledged = []
answers = collections.Counter()
hints = []
hintless = 0
sent = 0


def note(answer, ids=(), hint=None, refused=False):
    global hintless
    with lock:
        answers[answer] += 1
        acknowledged.extend(ids)
        if hint is not None:
            hints.append(hint)
        elif refused:
            hintless += 1


class Sender:
    def __init__(self, number):
        self.random = random.Random(arguments.seed * 1000003 + number)
        self.open = []

    def bits(self, count):
        return (self.random.getrandbits(count * 8) or 1).to_bytes(count, "big")

    def request(self):
        message = service.ExportTraceServiceRequest()
        resource = message.resource_spans.add()
        for key, value in (("service.name", "load"), ("cloud.region", arguments.region)):
            attribute = resource.resource.attributes.add()
            attribute.key = key
            attribute.value.string_value = value
        spans = resource.scope_spans.add().spans
        roots = [(self.bits(16), self.bits(8)) for _ in range(arguments.spans - len(self.open))]
        for trace, parent in self.open:
            spans.add(trace_id=trace, span_id=self.bits(8), parent_span_id=parent, name="child", kind=1)
        for trace, span in roots:
            spans.add(trace_id=trace, span_id=span, name="root", kind=2)
        for span in spans:
            span.start_time_unix_nano = 1700000000000000000
            span.end_time_unix_nano = 1700000000001000000
            if arguments.padding:
                attribute = span.attributes.add()
                attribute.key = "padding"
                attribute.value.string_value = self.bits(arguments.padding // 2).hex()
        self.open = roots[: arguments.spans // 2]
        return message.SerializeToString(), [span.span_id.hex() for span in spans]

    def run(self):
        global sent
        count = 0
        while not ended.is_set() and (arguments.requests == 0 or count < arguments.requests):
            body, ids = self.request()
            with lock:
                sent += len(ids)
            count += 1
            while True:
                taken, overload = self.send(body, ids)
                if taken or arguments.until_failure or (ended.is_set() and not arguments.insist):
                    break
                if not overload and not arguments.insist:
                    return
                time.sleep(0.02) if ended.is_set() else ended.wait(0.02)
            if not taken and arguments.until_failure:
                return
            if arguments.pause:
                ended.wait(arguments.pause)


class GRPCSender(Sender):
    def __init__(self, number):
        super().__init__(number)
        self.connect()

    def connect(self):
        # A channel of its own for each sender: all of them together would share one connection.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
        self.channel = grpc.insecure_channel(arguments.grpc, options=options)
        self.export = self.channel.unary_unary(EXPORT)

    def send(self, body, ids):
        try:
            self.export(body, timeout=arguments.timeout)
            note("OK", ids)
            return True, False
        except grpc.RpcError as error:
            hint = None
            for key, value in error.trailing_metadata() or ():
                if key == "grpc-status-details-bin":
                    for detail in status_pb2.Status.FromString(value).details:
                        info = error_details_pb2.RetryInfo()
                        if detail.Unpack(info):
                            hint = info.retry_delay.seconds + info.retry_delay.nanos / 1e9
            # Only the server's own words are a refusal: that a connection could not be made is not one.
            refused = error.code() is grpc.StatusCode.UNAVAILABLE and "no room" in error.details()
            note(error.code().name, hint=hint, refused=refused)
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                self.channel.close()
                self.connect()
            return False, error.code() is grpc.StatusCode.UNAVAILABLE


class HTTPSender(Sender):
    connection = None

    def send(self, body, ids):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(arguments.http, timeout=arguments.timeout)
            self.connection.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf"})
            answer = self.connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            note(type(error).__name__)
            self.connection = None
            return False, True
        if answer.status == 200:
            note("200", ids)
            return True, False
        after = answer.getheader("retry-after")
        note(str(answer.status), hint=None if after is None else float(after), refused=answer.status == 503)
        if answer.getheader("connection") == "close":
            self.connection = None
        return False, answer.status == 503


def wait_for_end():
    sys.stdin.read()
    ended.set()


kinds = [kind for kind, target in ((GRPCSender, arguments.grpc), (HTTPSender, arguments.http)) if target]
senders = [kinds[number % len(kinds)](number) for number in range(arguments.senders)]
threading.Thread(target=wait_for_end, daemon=True).start()
threads = [threading.Thread(target=sender.run) for sender in senders]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
json.dump(
    {
        "acknowledged": acknowledged,
        "sent": sent,
        "answers": answers,
        "retry_hints": min(hints) if hints else None,
        "hintless": hintless,
    },
    sys.stdout,
)
