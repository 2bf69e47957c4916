"""An OTLP/gRPC server that Longspan has no part in: it keeps every request as it came.

usage: sink.py DIRECTORY [--refuse N] [--port P] [--code NAME] [--retry-delay SECONDS] [--reject K]
               [--message TEXT]

Prints `listening PORT`. Each Export request is written to DIRECTORY/NNNNNN.otlp (the raw message), and its metadata
to DIRECTORY/NNNNNN.metadata (a list of key and value in JSON), before it is answered. The first N requests are refused with the status code NAME (UNAVAILABLE) and the words TEXT, with a RetryInfo
where a delay is given. DIRECTORY/refusals and DIRECTORY/acceptances hold the monotonic time of each, in seconds, one on
a line. Every accepted request is said to have K rejected spans. Ends on SIGTERM or when standard input ends.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import sys
import threading
import time

import grpc
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

parser = argparse.ArgumentParser()
parser.add_argument("directory")
parser.add_argument("--refuse", type=int, default=0)
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--code", default="UNAVAILABLE")
parser.add_argument("--retry-delay", type=float)
parser.add_argument("--reject", type=int, default=0)
parser.add_argument("--message", default="try later")
arguments = parser.parse_args()
os.makedirs(arguments.directory, exist_ok=True)
numbers = itertools.count(1)
refusals = itertools.count(1)
lock = threading.Lock()


def times(name):
    with open(os.path.join(arguments.directory, name), "a") as file:
        file.write("%f\n" % time.monotonic())


def refuse(context):
    times("refusals")
    code = grpc.StatusCode[arguments.code]
    if arguments.retry_delay is not None:
        status = status_pb2.Status(code=code.value[0], message="try later")
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromNanoseconds(int(arguments.retry_delay * 1e9))
        status.details.add().Pack(info)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, arguments.message)


def export(message, context):
    with lock:
        if next(refusals) <= arguments.refuse:
            refuse(context)
        times("acceptances")
        name = os.path.join(arguments.directory, "%06d.otlp" % next(numbers))
    with open(name.replace(".otlp", ".metadata"), "w") as file:
        json.dump([[key, value if isinstance(value, str) else value.hex()] for key, value in context.invocation_metadata()], file)
    with open(name + ".part", "wb") as file:
        file.write(message)
    os.rename(name + ".part", name)
    response = trace_service_pb2.ExportTraceServiceResponse()
    if arguments.reject:
        response.partial_success.rejected_spans = arguments.reject
        response.partial_success.error_message = "not these: " + arguments.message
    return response.SerializeToString()


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
