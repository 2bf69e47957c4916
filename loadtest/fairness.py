#!/usr/bin/env python3
"""What one slow or hostile client costs another: the other's latency alone and next to it.

usage: fairness.py [--binary PATH] [--rounds N] [--seconds S] [--role relay|aggregator] [KIND ...]

A victim sends small OTLP/HTTP requests, one after the other on each of a few connections, so that every event loop has
some. It is measured alone, then next to the other client, then alone again and so on; what counts is the median of the
rounds' p50 and p99, and the ratio of those next to somebody and alone. KINDs:

  dribble     200 connections that send a byte of a body now and then
  unread      200 connections of h2c that ask and never open a window for the answer
  gzip        4 connections that send requests of the largest size, in gzip, as fast as they are answered
  large       the same without compression, with spans as small as they get
  flood       connections that are opened, send a request's head and are reset
  pipeline    one connection that sends small requests without waiting for answers

What is measured is what the other client makes Longspan do, not what it takes from the machine: Longspan has the first
core for itself, the clients have the others, where the victim comes first (as root). `busy` does no more than keep a
core busy, so that its ratio is what the machine adds.
"""

import argparse
import contextlib
import gzip
import multiprocessing
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

from otlp import request

parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
parser.add_argument("--binary", default=".build/release/longspan")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=4.0)
parser.add_argument("--connections", type=int, default=4, help="of the victim")
parser.add_argument("--rate", type=float, default=100, help="requests a second on each of the victim's connections")
parser.add_argument("--role", choices=["relay", "aggregator"], default="relay")
parser.add_argument("--mib", type=int, default=60, help="size of the hog's requests")
CORES = sorted(os.sched_getaffinity(0))
KINDS = ["busy", "dribble", "unread", "gzip", "large", "flood", "pipeline"]
parser.add_argument("kinds", nargs="*", default=KINDS, metavar="KIND")


def post(body, more=b""):
    head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n" + more
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def connect(address):
    connection = socket.create_connection(address, timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def answer(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("closed")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    size = int(re.search(rb"content-length: (\d+)", head.lower()).group(1))
    while len(rest) < size:
        rest += connection.recv(65536)
    return int(head.split()[1])


def elsewhere(priority):
    """Leaves the first core to Longspan, as if this thread were at home on another machine. Where there are only two
    cores both clients are on the same, and the victim comes first."""
    os.sched_setaffinity(0, CORES[1:] or CORES)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO if priority else os.SCHED_IDLE, os.sched_param(priority))


def victim(address, seconds, connections, rate):
    """Latencies of requests that begin at fixed times, so that a stall counts for all that it held up."""
    latencies, failures, lock = [], [0], threading.Lock()

    def run(number):
        elsewhere(1)
        connection = connect(address)
        body = post(request(number, 1))
        own, begin = [], time.monotonic() + number / connections / rate
        for index in range(int(seconds * rate)):
            due = begin + index / rate
            delay = due - time.monotonic()
            if delay > 0:
                time.sleep(delay)
            started = time.monotonic()
            connection.sendall(body)
            if answer(connection) != 200:
                failures[0] += 1
            own.append(time.monotonic() - (started if delay > 0 else due))
        with lock:
            latencies.extend(own)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies.sort()
    return latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100], failures[0]


# The other client.


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def fields():
    block = b""
    for name, value in (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/v1/traces"),
        (b":authority", b"x"),
        (b"content-type", b"application/x-protobuf"),
    ):
        block += b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
    return block


def busy(address, options):
    while True:
        pass


def dribble(address, options):
    held = []
    for _ in range(200):
        connection = connect(address)
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n")
        connection.sendall(b"content-length: 1000000\r\n\r\n")
        held.append(connection)
    while True:
        for connection in held:
            try:
                connection.sendall(b"x")
            except OSError:
                pass
        time.sleep(0.05)


def unread(address, options):
    opening = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"\0\4\0\0\0\0")
    held = []
    for _ in range(200):
        connection = connect(address)
        requests = b"".join(frame(1, 4, 2 * n + 1, fields()) + frame(0, 1, 2 * n + 1, b"\xff") for n in range(100))
        connection.sendall(opening + requests)
        held.append(connection)
    while True:
        for connection in held:
            try:
                connection.sendall(frame(6, 0, 0, bytes(8)))
            except OSError:
                pass
        time.sleep(0.1)


def repeat(address, message):
    # In pieces: while the system copies it takes the core from nobody, and the victim would wait for it.
    pieces = [message[start : start + 16384] for start in range(0, len(message), 16384)]

    def run():
        connection = connect(address)
        while True:
            try:
                for piece in pieces:
                    connection.sendall(piece)
                answer(connection)
            except (OSError, ConnectionError):
                time.sleep(0.01)
                connection = connect(address)

    for _ in range(3):
        threading.Thread(target=run, daemon=True).start()
    run()


def gzipped(address, options):
    body = request(1, (options.mib << 20) // 520, 450)
    repeat(address, post(gzip.compress(body, 6), b"content-encoding: gzip\r\n"))


def large(address, options):
    repeat(address, post(request(1, (options.mib << 20) // 36)))


def flood(address, options):
    linger = struct.pack("ii", 1, 0)
    while True:
        try:
            connection = connect(address)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.sendall(b"POST /v1/traces HTTP/1.1\r\n")
            connection.close()
        except OSError:
            pass


def pipeline(address, options):
    connection = connect(address)
    threading.Thread(target=lambda: [None for _ in iter(lambda: connection.recv(1 << 20), b"")], daemon=True).start()
    many = post(request(2, 1)) * 1000
    while True:
        connection.sendall(many)


OTHERS = {
    "busy": busy,
    "dribble": dribble,
    "unread": unread,
    "gzip": gzipped,
    "large": large,
    "flood": flood,
    "pipeline": pipeline,
}


def other(kind, address, options):
    elsewhere(0)
    OTHERS[kind](address, options)


# The process under test.


class Longspan:
    def __init__(self, options):
        self.folder = tempfile.TemporaryDirectory()
        text = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
admin: {endpoint: "127.0.0.1:0"}
"""
        if options.role == "relay":
            # What is kept is nothing: the aggregator is another process's business.
            text += 'region: a\nsampling: {type: probabilistic, param: 0}\n'
            text += 'processors: {memory_limiter: {limit_mib: 4096, spike_limit_mib: 64}}\n'
            text += 'exporters: {otlp: {endpoint: "127.0.0.1:1", tls: {insecure: true}}}\n'
        else:
            text += "stitching: {idle_timeout: 1s, memory_limit_mib: 4096}\n"
        path = os.path.join(self.folder.name, "longspan.yaml")
        with open(path, "w") as file:
            file.write(text)
        self.process = subprocess.Popen(
            ["taskset", "-c", str(CORES[0]), options.binary, options.role, "--config", path],
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stderr:
            if " ready" in line:
                host, port = re.search(r"otlp_http=(\S+):(\d+)", line).groups()
                self.address = (host, int(port))
                break
        else:
            sys.exit("longspan did not start")
        threading.Thread(target=lambda: list(self.process.stderr), daemon=True).start()

    def end(self):
        self.process.terminate()
        self.process.wait()


def measure(kind, options):
    rows = {"alone": [], "next to": []}
    for _ in range(options.rounds):
        longspan = Longspan(options)
        victim(longspan.address, 0.5, options.connections, options.rate)
        rows["alone"].append(victim(longspan.address, options.seconds, options.connections, options.rate))
        process = multiprocessing.Process(target=other, args=(kind, longspan.address, options), daemon=True)
        process.start()
        # Until it is at it: the larger requests take a while to make.
        time.sleep(6 if kind in ("gzip", "large") else 1)
        rows["next to"].append(victim(longspan.address, options.seconds, options.connections, options.rate))
        process.kill()
        process.join()
        longspan.end()
    alone, beside = ([statistics.median(row[n] for row in rows[name]) * 1e3 for n in (0, 1)] for name in rows)
    failures = sum(row[2] for row in rows["next to"])
    print(
        "%-10s p50 %7.2f -> %7.2f ms (%5.1fx)   p99 %7.2f -> %7.2f ms (%5.1fx)   %d not taken"
        % (kind, alone[0], beside[0], beside[0] / alone[0], alone[1], beside[1], beside[1] / alone[1], failures),
        flush=True,
    )


def main():
    options = parser.parse_args()
    for kind in options.kinds:
        measure(kind, options)


if __name__ == "__main__":
    main()
