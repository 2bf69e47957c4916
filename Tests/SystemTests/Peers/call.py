"""One OTLP/gRPC call by grpcio, in clear text or with certificates.

usage: call.py HOST:PORT [--method PATH] [--ca FILE] [--cert FILE --key FILE] [--name NAME] [--gzip]
               [--metadata KEY=VALUE]

The message is read from standard input. Prints one JSON object: {"code", "details", "retry_delay", "rejected",
"message"}: the status, the delay of a RetryInfo in seconds or null, and what partial_success says.
"""

import argparse
import json
import sys

import grpc
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

parser = argparse.ArgumentParser()
parser.add_argument("target")
parser.add_argument("--method", default="/opentelemetry.proto.collector.trace.v1.TraceService/Export")
parser.add_argument("--ca")
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--name")
parser.add_argument("--gzip", action="store_true")
parser.add_argument("--metadata", action="append", default=[])
arguments = parser.parse_args()


def contents(path):
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()


options = [("grpc.enable_retries", 0), ("grpc.max_receive_message_length", 64 << 20)]
if arguments.name:
    options.append(("grpc.ssl_target_name_override", arguments.name))
compression = grpc.Compression.Gzip if arguments.gzip else None
if arguments.ca:
    credentials = grpc.ssl_channel_credentials(
        contents(arguments.ca), contents(arguments.key), contents(arguments.cert)
    )
    channel = grpc.secure_channel(arguments.target, credentials, options=options, compression=compression)
else:
    channel = grpc.insecure_channel(arguments.target, options=options, compression=compression)

result = {"code": "OK", "details": "", "retry_delay": None, "rejected": 0, "message": ""}
try:
    metadata = [tuple(field.split("=", 1)) for field in arguments.metadata]
    answer = channel.unary_unary(arguments.method)(sys.stdin.buffer.read(), timeout=30, metadata=metadata)
    partial = service.ExportTraceServiceResponse.FromString(answer).partial_success
    result["rejected"], result["message"] = partial.rejected_spans, partial.error_message
except grpc.RpcError as error:
    result["code"], result["details"] = error.code().name, error.details()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.RetryInfo()
                if detail.Unpack(info):
                    result["retry_delay"] = info.retry_delay.seconds + info.retry_delay.nanos / 1e9
json.dump(result, sys.stdout)
