"""A back end that never dies: it answers every OTLP/gRPC export and remembers which span came when."""

import concurrent.futures
import threading
import time

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


class CountingSink:
    def __init__(self):
        self.lock = threading.Lock()
        #: When each span came first, and (span ID, first time, next time) where one came again.
        self.first, self.repeats = {}, []
        self.requests = 0
        handler = grpc.method_handlers_generic_handler(
            SERVICE, {"Export": grpc.unary_unary_rpc_method_handler(self.export)}
        )
        self.server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(max_workers=4),
            options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)],
        )
        self.server.add_generic_rpc_handlers((handler,))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def export(self, message, _):
        request = ExportTraceServiceRequest.FromString(message)
        now = time.monotonic()
        with self.lock:
            self.requests += 1
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        before = self.first.setdefault(span.span_id, now)
                        if before != now:
                            self.repeats.append((span.span_id, before, now))
        return b""

    def stop(self):
        self.server.stop(None)
