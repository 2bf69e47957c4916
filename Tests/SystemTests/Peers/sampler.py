"""Jaeger's own remote sampler, asking a relay what part of its traces to keep.

usage: sampler.py http HOST:PORT | grpc HOST:PORT

Prints the probability that the sampler has taken over. Ends with status 1 when it took over none.
"""

import sys

PROTOCOL, ADDRESS = sys.argv[1:]
host, port = ADDRESS.rsplit(":", 1)

if PROTOCOL == "http":
    from concurrent.futures import Future

    from jaeger_client.local_agent_net import LocalAgentHTTP
    from jaeger_client.sampler import ProbabilisticSampler, RemoteControlledSampler
    from tornado.ioloop import IOLoop

    class Channel(LocalAgentHTTP):
        def __init__(self):
            super().__init__(host, int(port))

    class Wrapped:
        """What the sampler wants of a channel: a loop, and `request_sampling_strategy`."""

        io_loop = IOLoop()

        def request_sampling_strategy(self, service_name, timeout=15):
            response = self.io_loop.run_sync(lambda: Channel().request_sampling_strategy(service_name, timeout))
            future = Future()
            future.set_result(response)
            return future

    import logging

    sampler = RemoteControlledSampler(
        channel=Wrapped(), service_name="shop", logger=logging.getLogger(), init_sampler=ProbabilisticSampler(0.001)
    )
    sampler._poll_sampling_manager()
    print(sampler.sampler.rate)
else:
    import grpc

    # The message is two fields long; Jaeger publishes no stubs for it on PyPI.
    call = grpc.insecure_channel(ADDRESS).unary_unary(
        "/jaeger.api_v2.SamplingManager/GetSamplingStrategy",
        request_serializer=lambda name: b"\x0a" + bytes([len(name)]) + name.encode(),
        response_deserializer=bytes,
    )
    import struct

    answer = call("shop", timeout=10)
    if answer[:3] != b"\x12\x09\x09" or len(answer) != 11:
        sys.exit(1)
    print(struct.unpack("<d", answer[3:])[0])
