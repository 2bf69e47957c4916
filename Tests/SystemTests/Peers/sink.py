"""An OTLP/gRPC server that Longspan has no part in: it keeps every request as it came.

usage: sink.py DIRECTORY [--refuse N] [--port P]

Prints `listening PORT`. Each Export request is written to DIRECTORY/NNNNNN.otlp (the raw message) before it is
answered. The first N requests are refused with UNAVAILABLE. Ends on SIGTERM or when standard input ends.
"""

import argparse
import concurrent.futures
import itertools
import os
import sys
import threading

import grpc

parser = argparse.ArgumentParser()
parser.add_argument("directory")
parser.add_argument("--refuse", type=int, default=0)
parser.add_argument("--port", type=int, default=0)
arguments = parser.parse_args()
os.makedirs(arguments.directory, exist_ok=True)
numbers = itertools.count(1)
refusals = itertools.count(1)
lock = threading.Lock()


def export(message, context):
    with lock:
        if next(refusals) <= arguments.refuse:
            context.abort(grpc.StatusCode.UNAVAILABLE, "try later")
        name = os.path.join(arguments.directory, "%06d.otlp" % next(numbers))
    with open(name + ".part", "wb") as file:
        file.write(message)
    os.rename(name + ".part", name)
    return b""


handler = grpc.method_handlers_generic_handler(
    "opentelemetry.proto.collector.trace.v1.TraceService",
    {"Export": grpc.unary_unary_rpc_method_handler(export)},
)
server = grpc.server(
    concurrent.futures.ThreadPoolExecutor(max_workers=8),
    options=[("grpc.max_receive_message_length", 64 << 20), ("grpc.so_reuseport", 0)],
)
server.add_generic_rpc_handlers((handler,))
port = server.add_insecure_port("127.0.0.1:%d" % arguments.port)
server.start()
print("listening", port, flush=True)
sys.stdin.read()
server.stop(1)
