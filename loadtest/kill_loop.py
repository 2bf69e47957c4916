"""Kills relays and the aggregator at random under load, and sees that nothing acknowledged is lost or counted twice.

usage: kill_loop.py [--kills 200] [--seed 1] [--binary PATH] [--relay-only | --aggregator-only] [--storage on|off|auto]
                    [--senders 4] [--traces 4] [--pause 0.2] [--idle 5] [--keep-logs]

Two relays with their queue on disk, an aggregator with a journal, and a sink that never dies. Senders repeat a request,
the same bytes, until it is acknowledged. With storage processes die by SIGKILL; without (or where the binary does not
know the storage keys) they are told to end, which tests this program more than the other, and no counters are compared.

At the end, when everything has drained:
1. every acknowledged span has come to the sink, and none again that the sink had acknowledged more than a second before
   the aggregator was killed (an answer that the dead process had no time to write down is unknowable to the next);
2. every flow series of the aggregator is what the traffic was, restarts or not;
3. every process accounts for its spans: received = outcomes + held, and nothing is held.

Where a part of a trace came after its closing (a process was away for longer than --idle), what is counted at closing
is not compared, but for the number of closings. Prints a table. Exit status 0: all of that holds; 1: not, and the logs
are kept; 3: what could be compared holds.
"""

import argparse
import collections
import http.client
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import grpc

import fleet
from counting_sink import SERVICE, CountingSink
from crossing_traffic import REGIONS, Traffic, Truth

RETRY_SECONDS = 0.05
ANSWER_SECONDS = 5
#: What an aggregator that was killed may have had no time to write down.
UNKNOWABLE_SECONDS = 1
DRAIN_SECONDS = 120
#: Series that are counted when a trace closes.
AT_CLOSING = {
    "stitching_traces_total",
    "stitching_unmatched_entries_total",
    "trace_duration_seconds_count",
    "trace_duration_seconds_sum",
    "trace_errors_total",
}


class Sender(threading.Thread):
    """Sends traces, one request after the other, and repeats each until it is acknowledged."""

    def __init__(self, number, arguments, relays, ended):
        super().__init__(daemon=True)
        self.arguments, self.relays, self.ended = arguments, relays, ended
        self.speaks_grpc = number % 2 == 0
        self.traffic = Traffic("%d/%d" % (arguments.seed, number))
        self.acknowledged, self.answers = set(), collections.Counter()
        self.given_up = threading.Event()
        self.connections = {}

    def run(self):
        while not self.ended.is_set():
            left = self.traffic.requests(self.arguments.traces)
            # While one region's relay is gone the other's half goes its way.
            while left:
                for region, (body, ids) in list(left.items()):
                    if self.send(region, body):
                        self.acknowledged.update(ids)
                        del left[region]
                if left and self.given_up.wait(RETRY_SECONDS):
                    return
            self.ended.wait(self.arguments.pause)

    def send(self, region, body):
        answer = (self.over_grpc if self.speaks_grpc else self.over_http)(self.relays[region], region, body)
        self.answers[answer] += 1
        return answer in ("OK", "200")

    def over_grpc(self, relay, region, body):
        if region not in self.connections:
            # A channel that failed waits longer and longer; a new one does not.
            options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
            self.connections[region] = grpc.insecure_channel("127.0.0.1:%d" % relay.grpc, options=options)
        try:
            self.connections[region].unary_unary("/%s/Export" % SERVICE)(body, timeout=ANSWER_SECONDS)
            return "OK"
        except grpc.RpcError as error:
            self.connections.pop(region).close()
            return error.code().name

    def over_http(self, relay, region, body):
        try:
            if region not in self.connections:
                self.connections[region] = http.client.HTTPConnection("127.0.0.1", relay.http, timeout=ANSWER_SECONDS)
            connection = self.connections[region]
            connection.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            return str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            self.connections.pop(region).close()
            return type(error).__name__


class Loop:
    def __init__(self, arguments, folder):
        self.arguments, self.violations, self.kills = arguments, [], []
        self.compared = self.late = 0
        self.storage = arguments.storage == "on" or (
            arguments.storage == "auto" and fleet.knows_storage(arguments.binary, folder)
        )
        self.sink = CountingSink()
        self.aggregator = fleet.aggregator(
            arguments.binary, folder, self.sink.port, arguments.idle, self.storage
        )
        self.relays = {
            region: fleet.relay(arguments.binary, folder, region, self.aggregator.grpc, self.storage)
            for region in REGIONS
        }
        self.all = [self.aggregator, *self.relays.values()]
        self.ended = threading.Event()
        self.senders = [
            Sender(number, arguments, self.relays, self.ended) for number in range(arguments.senders)
        ]

    def victims(self):
        if self.arguments.relay_only:
            return list(self.relays.values())
        if self.arguments.aggregator_only:
            return [self.aggregator]
        # As often the aggregator as a relay.
        return [self.aggregator, self.aggregator, *self.relays.values()]

    def run(self):
        for role in self.all:
            role.start()
        for sender in self.senders:
            sender.start()
        choices = random.Random(self.arguments.seed)
        victims = self.victims()
        how = signal.SIGKILL if self.storage else signal.SIGTERM
        while len(self.kills) < self.arguments.kills:
            # Often soon after the last, sometimes when traces have closed: after a restart they wait anew.
            time.sleep(choices.choice((0.1, 0.5, 2, 2 * self.arguments.idle)) * choices.random())
            victim = choices.choice(victims)
            victim.end(how)
            self.kills.append((time.monotonic(), victim))
            victim.start()
            if sys.stderr.isatty():  # A test's log is no place for progress.
                print("\r%d of %d kills" % (len(self.kills), self.arguments.kills), end="", file=sys.stderr)
        self.ended.set()
        give_up = time.monotonic() + DRAIN_SECONDS
        for sender in self.senders:
            sender.join(max(0, give_up - time.monotonic()))
            if sender.is_alive():
                self.violations.append("a request was not acknowledged within %d s" % DRAIN_SECONDS)
                sender.given_up.set()
                sender.join()
        self.acknowledged = set().union(*(sender.acknowledged for sender in self.senders))
        self.drain()

    def drain(self):
        """Waits until nothing is held anywhere and all has come."""
        give_up = time.monotonic() + DRAIN_SECONDS
        while True:
            self.scrapes = {role: role.scrape() for role in self.all}
            books = [fleet.accounts(values) for values in self.scrapes.values()]
            at_rest = all(received == gone and held == 0 for received, gone, held in books)
            with self.sink.lock:
                has_all = self.acknowledged <= self.sink.first.keys()
            if (at_rest and has_all) or time.monotonic() > give_up:
                return
            time.sleep(0.1)

    # The three promises.

    def check(self):
        self.check_spans()
        self.check_accounts()
        if self.storage:
            self.check_counters()
        return not self.violations

    def check_spans(self):
        missing = self.acknowledged - self.sink.first.keys()
        if missing:
            self.violations.append("%d acknowledged spans were never exported" % len(missing))
        deaths = [when for when, role in self.kills if role is self.aggregator]
        self.unknowable, self.longest, self.twice = 0, 0.0, 0
        for _, before, again in self.sink.repeats:
            # The time is that of the request's arrival; the answer followed.
            since = min((death - before for death in deaths if before < death < again), default=None)
            if since is not None and since <= UNKNOWABLE_SECONDS:
                self.unknowable += 1
                self.longest = max(self.longest, since)
            else:
                self.twice += 1
        if self.twice:
            self.violations.append("%d spans were exported again though the sink had them" % self.twice)

    def check_accounts(self):
        for role, values in self.scrapes.items():
            received, gone, held = fleet.accounts(values)
            if received != gone or held != 0:
                self.violations.append("%s: received %d, outcomes %d, held %d" % (role.name, received, gone, held))
            for outcome in ("rejected", "expired", "over_budget", "undeliverable", "sampled_out"):
                spans = fleet.total(values, "longspan_outcome_spans_total", outcome=outcome)
                if spans:
                    self.violations.append("%s: %d spans %s" % (role.name, spans, outcome))

    def check_counters(self):
        truth = Truth()
        for sender in self.senders:
            truth.merge(sender.traffic.truth)
        found = self.scrapes[self.aggregator]
        closings = sum(value for (name, _), value in truth.series.items() if name == "stitching_traces_total")
        if fleet.total(found, "stitching_traces_total") != closings:
            self.violations.append(
                "%d traces closed and should be %d" % (fleet.total(found, "stitching_traces_total"), closings)
            )
        self.late = int(fleet.total(found, "stitching_late_spans_total"))
        names = {name for name, _ in truth.series} | {"stitching_unmatched_entries_total"}
        if self.late:
            # What a trace was when it closed depends on what had come by then.
            names -= AT_CLOSING
            for series in [series for series in truth.series if series[0] in AT_CLOSING]:
                del truth.series[series]
        wanted = dict.fromkeys((series for series in found if series[0] in names), 0)
        wanted.update(truth.series)
        self.compared = len(wanted)
        for (name, labels), value in sorted(wanted.items()):
            got = found.get((name, labels), 0)
            if abs(got - value) > 1e-6 * max(1, abs(value)):
                text = ",".join("%s=%s" % label for label in labels)
                self.violations.append("%s{%s} is %.10g and should be %.10g" % (name, text, got, value))

    def report(self, seconds):
        answers = sum((sender.answers for sender in self.senders), collections.Counter())
        of_role = collections.Counter("aggregator" if role is self.aggregator else "relay" for _, role in self.kills)
        taken = answers["OK"] + answers["200"]
        rows = [
            ("seed", self.arguments.seed),
            ("ended by", "SIGKILL" if self.storage else "SIGTERM (no storage)"),
            ("relays ended", of_role["relay"]),
            ("aggregator ended", of_role["aggregator"]),
            ("slowest start of a relay, s", "%.2f" % max(role.slowest_start for role in self.relays.values())),
            ("slowest start of the aggregator, s", "%.2f" % self.aggregator.slowest_start),
            ("requests acknowledged", taken),
            ("requests repeated", sum(answers.values()) - taken),
            ("spans acknowledged", len(self.acknowledged)),
            ("spans at the sink", len(self.sink.first)),
            ("exported again, acknowledgement lost with its reader", self.unknowable),
            ("  longest time from the first export to the kill, s", "%.3f" % self.longest),
            ("exported again for no reason", self.twice),
            ("duplicates dropped by the aggregator since its last start",
             int(fleet.total(self.scrapes[self.aggregator], "longspan_outcome_spans_total", outcome="duplicate"))),
            ("spans that came after their trace had closed", self.late),
            ("flow series compared", self.compared),
            ("seconds", "%.1f" % seconds),
            ("violations", len(self.violations)),
        ]
        for name, value in rows:
            print("%-58s %s" % (name, value))
        for violation in self.violations:
            print("VIOLATION: " + violation)

    def close(self):
        for sender in self.senders:
            sender.given_up.set()
        for role in self.all:
            if role.process is not None and role.process.poll() is None:
                role.process.kill()
                role.process.wait()
        self.sink.stop()


def main():
    parser = argparse.ArgumentParser()
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--binary", default=os.path.join(root, ".build/release/longspan"))
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--relay-only", action="store_true")
    only.add_argument("--aggregator-only", action="store_true")
    parser.add_argument("--storage", choices=("on", "off", "auto"), default="auto")
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--traces", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.2)
    parser.add_argument("--idle", type=float, default=5)
    parser.add_argument("--keep-logs", action="store_true")
    arguments = parser.parse_args()

    folder = tempfile.mkdtemp(prefix="longspan-kill-")
    began, is_good = time.monotonic(), False
    loop = Loop(arguments, folder)
    try:
        loop.run()
        is_good = loop.check()
        loop.report(time.monotonic() - began)
    except (fleet.Ended, OSError) as failure:
        print("VIOLATION after %d kills: %s" % (len(loop.kills), failure))
    finally:
        loop.close()
        if is_good and not arguments.keep_logs:
            shutil.rmtree(folder)
        else:
            print("logs and disks: " + folder)
    sys.exit(1 if not is_good else 3 if loop.late else 0)


if __name__ == "__main__":
    main()
