"""Longspan beside what else can carry spans: CPU time, memory, latency and bytes, on one machine in one go.

usage: compare.sh [--rounds N] [--requests N] [--output FILE] [--quick] [SCENARIO ...]

Scenarios take turns, round by round, and within a scenario the contenders do, each time with fresh processes; the
median of the rounds counts. CPU time is the user and system time of the process under test alone. Machines drift:
compare figures of one table only, as ratios. loadtest/README.md says what each column means.
"""

import argparse
import concurrent.futures
import datetime
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import traceback
import zlib

import contenders
import recorded
from scenarios import SCENARIOS

FLOOR = "nginx grpc_pass, TLS out"


class Setting:
    """What all runs share."""

    def __init__(self, arguments, folder):
        self.loadtest, self.folder, self.requests = arguments.loadtest, folder, arguments.requests
        self.trust = ["--ca", str(folder / "ca.crt"), "--server-name", "localhost"]
        self.live_rate, self.live_seconds = 100000, 5 if arguments.quick else 15
        self.link_seconds = 5 if arguments.quick else 15

    def scaled(self, load):
        """The options of a load; at most the common number of requests, and for no longer than they take."""
        return [*load, "--requests", min(self.requests, 4000) if "--warmup" in load else self.requests]

    @staticmethod
    def pool():
        return concurrent.futures.ThreadPoolExecutor(1)


def make_certificates(folder):
    """An authority, and a server's certificate for `localhost`."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    authority = ["-subj", "/CN=measurement", "-addext", "keyUsage=critical,keyCertSign"]
    server = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    issued = ["-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"]
    for name, options in (("ca", authority), ("server", server + issued)):
        command = ["openssl", "req", "-x509", *key, *options, "-keyout", folder / (name + ".key"), "-out"]
        subprocess.run([*command, folder / (name + ".crt")], check=True, stderr=subprocess.DEVNULL)


def gzip_bytes(loadtest):
    """Bytes a span of one batch of 1000 at gzip's level 6, the level that exporters use."""
    body = recorded.otlp(loadtest, 1000)
    return len(zlib.compress(body, 6)) / 1000, len(body) / 1000


def measure(names, setting, rounds, entrants):
    """Figures of every scenario and contender, a list with a run for each round."""
    found = {}
    for number in range(rounds):
        for name in names:
            scenario = SCENARIOS[name]
            for contender in entrants:
                if not scenario.takes(contender):
                    continue
                try:
                    figures = scenario.run(contender, setting)
                except KeyboardInterrupt:
                    return found
                except Exception:
                    traceback.print_exc()
                    print("round %d, %s, %s: failed" % (number + 1, scenario.title, contender.name), file=sys.stderr)
                    continue
                found.setdefault((name, contender.name), []).append(figures)
                line = "round %d, %s, %s: %s" % (number + 1, scenario.title, contender.name, figures)
                print(line, file=sys.stderr, flush=True)
    return found


def middle(runs, part):
    values = [getattr(run, part) for run in runs if getattr(run, part) is not None]
    return statistics.median(values) if values else None


def row(name, contender, runs, floors):
    scenario = SCENARIOS[name]
    shown = lambda value, form: "" if value is None else form % value
    cpu, extra = middle(runs, "cpu"), middle(runs, "extra")
    costs = [run.cpu for run in runs if run.cpu is not None]
    spread = " (%.2f-%.2f)" % (min(costs), max(costs)) if len(costs) > 1 else ""
    # Floors are of the same rounds; scenarios that nginx cannot be in are held against gRPC in, all kept.
    floor = floors.get(name, floors.get("grpc"))
    p50, p99 = middle(runs, "p50"), middle(runs, "p99")
    cells = [
        scenario.title, contender, shown(cpu, "%.2f") + spread if cpu else "",
        shown(cpu and floor and cpu / floor, "%.1f"), shown(cpu and 1 / cpu, "%.2f"), shown(middle(runs, "memory"), "%d"),
        "" if p50 is None else "%.1f / %.1f" % (p50, p99), shown(middle(runs, "bytes"), "%d"),
        shown(extra, "%.0f ") + scenario.unit if extra is not None else "",
        scenario.target if contender == "Longspan" else "",
        "; ".join(sorted({run.complaint for run in runs if run.complaint})),
    ]
    return "| " + " | ".join(cells) + " |"


def table(found):
    floors = {name: middle(runs, "cpu") for (name, contender), runs in found.items() if contender == FLOOR}
    heads = ["scenario", "process", "CPU s a million spans", "x nginx", "M spans/s a core", "peak RSS MiB",
             "p50 / p99 ms", "bytes/span out", "also", "target", "complaints"]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for name in SCENARIOS:
        for (scenario, contender), runs in found.items():
            if scenario == name:
                lines.append(row(name, contender, runs, floors))
    return lines


def heading(arguments, entrants, gzip, plain):
    model = next(
        (line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    versions = {entrant.name.split(" ")[0]: entrant.version() for entrant in entrants}
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True).stdout.strip()
    missing = [name for name, kind in (("rotel", contenders.Rotel), ("OpenTelemetry Collector", contenders.Collector))
               if not any(isinstance(entrant, kind) for entrant in entrants)]
    return [
        "%s, %d x %s, %s, Linux %s." % (
            datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), len(os.sched_getaffinity(0)), model, system,
            platform.release().partition("-")[0]),
        "Versions: " + ", ".join("%s %s" % item for item in versions.items()) + "; sources at %s." % commit,
        "Median of %d rounds of %d requests of 100 spans; %.0f bytes a span, by gzip -6 in batches of 1000 %.1f." % (
            arguments.rounds, arguments.requests, plain, gzip),
        *(["Not here: %s." % ", ".join(missing)] if missing else []), "",
    ]



def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--longspan", default=".build/release/longspan")
    parser.add_argument("--loadtest", default=".build/release/longspan-loadtest")
    parser.add_argument("--otelcol")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=10000)
    parser.add_argument("--quick", action="store_true", help="short runs of what is timed")
    parser.add_argument("--output", default=".build/compare.md")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    arguments = parser.parse_args()
    unknown = [name for name in arguments.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error("no such scenario: %s" % ", ".join(unknown))
    entrants = [contenders.Relay(arguments.longspan)]
    if shutil.which("nginx"):
        entrants += [contenders.Nginx(tls=True), contenders.Nginx(tls=False)]
    if contenders.Rotel.find():
        entrants.append(contenders.Rotel(contenders.Rotel.find()))
    if arguments.otelcol:
        entrants.append(contenders.Collector(arguments.otelcol))
    with tempfile.TemporaryDirectory(prefix="longspan-compare-") as name:
        folder = pathlib.Path(name)
        make_certificates(folder)
        gzip, plain = gzip_bytes(arguments.loadtest)
        found = measure(arguments.scenarios or list(SCENARIOS), Setting(arguments, folder), arguments.rounds, entrants)
    lines = heading(arguments, entrants, gzip, plain) + table(found)
    print("\n".join(lines))
    pathlib.Path(arguments.output).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
