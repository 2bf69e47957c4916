"""Sends OTLP/gRPC requests of which every trace is new, so that an aggregator has traces to stitch, not duplicates.

usage: send_unique.py HOST:PORT REQUESTS SEED [--authority FILE] [--in-flight N]

A template's trace IDs are overwritten for each request; span IDs stay, they only need to be unique in their trace.
Prints how many requests were accepted and how many were refused.
"""

import argparse
import random
import threading

import grpc

import payload

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def channel(target, authority):
    options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    if not authority:
        return grpc.insecure_channel(target, options)

    with open(authority, "rb") as file:
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(file.read()), options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("requests", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--authority")
    parser.add_argument("--in-flight", type=int, default=16)
    arguments = parser.parse_args()

    message, traces = payload.request(arguments.seed)
    message = bytearray(message)
    places = []
    for trace in traces:
        found, at = [], message.find(trace)
        while at >= 0:
            found.append(at)
            at = message.find(trace, at + 16)
        assert len(found) == len(payload.SERVICES)
        places.append(found)

    source = random.Random(arguments.seed)
    export = channel(arguments.target, arguments.authority).unary_unary(EXPORT)
    free = threading.Semaphore(arguments.in_flight)
    refused = []

    def answered(future):
        if future.code() is not grpc.StatusCode.OK:
            refused.append(future.code().name)
        free.release()

    for _ in range(arguments.requests):
        ids = source.randbytes(16 * len(places))
        for number, found in enumerate(places):
            trace = ids[16 * number : 16 * number + 16]
            for at in found:
                message[at : at + 16] = trace
        free.acquire()
        export.future(bytes(message), timeout=60).add_done_callback(answered)
    for _ in range(arguments.in_flight):
        free.acquire()
    print(arguments.requests - len(refused), len(refused), *sorted(set(refused)))


if __name__ == "__main__":
    main()
