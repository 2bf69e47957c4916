"""Instructions and allocations a span, counted by callgrind, against the thresholds in counts.json.

Counts, unlike times, hardly depend on the machine or on what else it does: the same program that is given the same
spans comes to the same instructions within a few per cent, a string instruction of the processor's counting once for
each of its steps, and to the same allocations within a fifth. Each figure is the difference between a longer and a shorter run,
divided by the spans between: what starting and ending take is in both.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from measured import Longspan, Sink, generate

ALLOCATORS = {"malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign"}
# Valgrind writes into the mask that it is given, which libdispatch keeps where nothing can be written.
SIGSUSPEND = """
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
int sigsuspend(const sigset_t *mask) { sigset_t own = *mask; return syscall(SYS_rt_sigsuspend, &own, 8); }
"""
SPANS = 100
SHORT, LONG = 50, 250

RELAY = """
region: us-east-1
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:0"}}, http: {{endpoint: "127.0.0.1:0"}}}}}}}}
sampling: {{type: probabilistic, param: {sampling}}}
context: {{baggage: {{enabled: true, restrictions: {{maxCount: 10, maxLength: 1024}}}}}}
routes:
  - {{from: us-east-1, to: us-west-2, sampling: {sampling}}}
  - {{from: us-east-1, to: eu-west-1, sampling: {sampling}}}
exporters: {{otlp: {{endpoint: "{sink}", compression: {compression}, tls: {{insecure: true}}}}}}
admin: {{endpoint: "127.0.0.1:0"}}
"""

AGGREGATOR = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:0"}}}}}}}}
stitching: {{idle_timeout: 2s}}
exporters: {{otlp: {{endpoint: "{sink}", compression: none, tls: {{insecure: true}}}}}}
admin: {{endpoint: "127.0.0.1:0"}}
"""


class Counted:
    """A role under callgrind, and what it is given."""

    def __init__(self, role, text, load, sampling=1, compression="none"):
        self.role, self.text, self.load = role, text, load
        self.options = {"sampling": sampling, "compression": compression}

    def run(self, binary, loadtest, folder, requests):
        """Spans that it was given; instructions and allocations from its start to its end."""
        sink = Sink(loadtest, folder, tls=False)
        process = Longspan(binary, self.role, self.text.format(sink=sink.address, **self.options), folder)
        try:
            address = process.addresses["otlp_http" if "http" in self.load else "otlp_grpc"]
            report = generate(loadtest, address, "--spans", SPANS, "--requests", requests, *self.load)
            if not report["answers"].keys() <= {"OK", "200"}:
                raise RuntimeError("not all was accepted: %s" % report["answers"])
            process.settle()
        finally:
            process.end()
            sink.end()
        (profile,) = folder.glob("callgrind.out.*")
        counts = read(profile)
        profile.unlink()
        return report["acceptedSpans"], *counts


COUNTED = {
    "relay, gRPC in": Counted("relay", RELAY, ["--in-flight", 1]),
    "relay, gRPC in, 10 % kept": Counted("relay", RELAY, ["--in-flight", 1], sampling=0.1),
    "relay, HTTP in": Counted("relay", RELAY, ["--protocol", "http"]),
    "relay, zstd out": Counted("relay", RELAY, ["--in-flight", 1], compression="zstd"),
    "aggregator, exported": Counted("aggregator", AGGREGATOR, ["--in-flight", 1, "--layout", "fragments"]),
}


def read(profile):
    """All instructions of a callgrind profile, and the calls of the allocator."""
    instructions = allocations = 0
    names, callee = {}, None
    with open(profile, errors="replace") as lines:
        for line in lines:
            if line.startswith("totals: "):
                instructions = int(line.split()[1])
            elif line.startswith(("cfn=", "fn=")):
                number, _, name = line.partition("=")[2].strip().partition(" ")
                if name:
                    names[number] = name.partition("'")[0]
                if line.startswith("cfn="):
                    callee = names.get(number)
            elif line.startswith("calls=") and callee in ALLOCATORS:
                allocations += int(re.match(r"calls=(\d+)", line)[1])
    return instructions, allocations


def wrapped(binary, folder):
    """A program that runs this one under callgrind. Callgrind would read debug information for minutes."""
    stripped, script, preloaded = folder / "longspan", folder / "counted", folder / "sigsuspend.so"
    subprocess.run(["strip", "-g", "-o", str(stripped), binary], check=True)
    compiler = ["clang", "-shared", "-fPIC", "-x", "c", "-", "-o", str(preloaded)]
    subprocess.run(compiler, input=SIGSUSPEND, text=True, check=True)
    command = "valgrind --tool=callgrind --quiet --callgrind-out-file=%s/callgrind.out.%%p" % folder
    script.write_text('#!/bin/sh\nLD_PRELOAD=%s exec %s %s "$@"\n' % (preloaded, command, stripped))
    script.chmod(0o755)
    return str(script)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--longspan", required=True)
    parser.add_argument("--loadtest", required=True)
    parser.add_argument("--set", action="store_true", help="write what was counted, and some more, as new thresholds")
    parser.add_argument("names", nargs="*", help="some of: " + "; ".join(COUNTED).replace("%", "%%"))
    arguments = parser.parse_args()
    thresholds_path = pathlib.Path(__file__).with_name("counts.json")
    thresholds = json.loads(thresholds_path.read_text()) if thresholds_path.exists() else {}
    folder = pathlib.Path(tempfile.mkdtemp())
    too_many = []
    try:
        binary = wrapped(arguments.longspan, folder)
        print("| a span | instructions | at most | allocations | at most |\n| --- | --- | --- | --- | --- |")
        for name in arguments.names or COUNTED:
            short, long = (
                COUNTED[name].run(binary, arguments.loadtest, folder, requests) for requests in (SHORT, LONG)
            )
            spans, *more = (after - before for before, after in zip(short, long))
            figures = [count / spans for count in more]
            if arguments.set:
                # How requests fall together into batches differs from run to run.
                thresholds[name] = {"instructions": int(figures[0] * 1.1), "allocations": round(figures[1] * 1.4, 2)}
            limits = [thresholds[name][kind] for kind in ("instructions", "allocations")]
            too_many += [name for figure, limit in zip(figures, limits) if figure > limit]
            print("| %s | %.0f | %d | %.2f | %.2f |" % (name, figures[0], limits[0], figures[1], limits[1]), flush=True)
    finally:
        shutil.rmtree(folder)
    if arguments.set:
        thresholds_path.write_text(json.dumps(thresholds, indent=2) + "\n")
    sys.exit("more than the thresholds: " + ", ".join(dict.fromkeys(too_many)) if too_many else 0)


if __name__ == "__main__":
    main()
