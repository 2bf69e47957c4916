"""Hostile TLS clients, and beside them an honest one that must not notice.

usage: hostile_tls.py HOST:PORT --ca FILE WHAT[=COUNT] ...

What may be done, on as many connections as COUNT says:

  garbage      bytes that are not TLS, or not a ClientHello
  oversized    a record that is longer than records may be
  endless      a ClientHello of 131 000 bytes, of which 40 000 come
  ccs          a ClientHello and then a hundred records that mean nothing
  alerts       a hundred warnings
  renegotiate  a TLS 1.2 session that asks to be negotiated anew
  keys         a TLS 1.3 session that asks for new keys again and again
  handshakes   whole handshakes and nothing behind them
  pieces       a ClientHello in records of one byte
  tiny         a request in records of one byte
  half         handshakes that are begun and left; they stay while the rest is done, and then until standard input ends

Prints a line for each: what, and how many of its connections the server ended (`tiny`: answered with 200; `pieces`:
answered). Before all and after each the honest client posts on its old connection and on a new one; `bystander N` says at the end how
many of its requests were answered with 200, out of how many. `half` is told as `held N` when they are all there.
"""

import argparse
import random
import socket
import ssl
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("target")
parser.add_argument("what", nargs="+")
parser.add_argument("--ca", required=True)
arguments = parser.parse_args()
host, port = arguments.target.rsplit(":", 1)
seed = random.randrange(1 << 32)
chance = random.Random(seed)
print("seed", seed, flush=True)


def connect():
    connection = socket.create_connection((host, int(port)), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def context(version=None):
    made = ssl.create_default_context(cafile=arguments.ca)
    if version:
        made.minimum_version = made.maximum_version = version
    return made


def session(version=None):
    return context(version).wrap_socket(connect(), server_hostname=host)


def is_ended(connection):
    """Whether the server ends the connection; what it says before is of no interest."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def record(kind, payload):
    return bytes([kind, 3, 1]) + len(payload).to_bytes(2, "big") + payload


def hello():
    """The handshake message that a client of this machine begins with."""
    heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context().wrap_bio(heard, said, server_hostname=host)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return said.read()[5:]


def say(data):
    connection = connect()
    try:
        connection.sendall(data)
    except OSError:
        pass  # It has ended the connection already.
    return connection


def all_at_once(make):
    """So many connections beside each other; how many the server ended."""

    def run(count):
        connections = [make() for _ in range(count)]
        return sum(is_ended(connection) for connection in connections)

    return run


def garbage():
    noise = chance.randbytes(chance.randrange(64, 3000))
    return say(
        chance.choice(
            (
                b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                bytes([chance.randrange(23, 128), chance.randrange(4, 256)]) + noise,
                record(22, bytes([chance.randrange(2, 256)]) + noise),
                record(23, noise),
            )
        )
    )


def oversized():
    return say(bytes([22, 3, 1, 255, 255, 1]) + chance.randbytes(1000))


def endless():
    message = b"\1" + (131000).to_bytes(3, "big") + b"\3\3" + bytes(40000)
    return say(b"".join(record(22, message[at : at + 16384]) for at in range(0, len(message), 16384)))


def ccs():
    return say(record(22, hello()) + record(20, b"\1") * 100)


def alerts():
    return say(record(21, b"\1\x5a") * 100)


def pieces():
    connection = say(b"".join(record(22, bytes([byte])) for byte in hello()))
    return bool(connection.recv(1))


def s_client(*options):
    return subprocess.Popen(
        ["openssl", "s_client", "-connect", arguments.target, "-CAfile", arguments.ca, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def typed(version, letter, word, most):
    """Types a command of s_client again and again, each when the one before was carried out; until it has ended."""
    client = s_client(version)
    try:
        for _ in range(most):
            client.stdin.write(letter + b"\n")
            client.stdin.flush()
            for line in client.stderr:
                if word in line:
                    break
            else:
                break
    except BrokenPipeError:
        pass
    client.stderr.read()
    try:
        client.stdin.close()
    except BrokenPipeError:
        pass  # What could not be written is written once more.
    client.wait()
    return client.returncode


def renegotiate(count):
    return sum(typed("-tls1_2", b"R", b"RENEGOTIATING", 1) != 0 for _ in range(count))


def keys(count):
    for _ in range(count):
        typed("-tls1_3", b"K", b"KEYUPDATE", 200)
    return count


def handshakes(count):
    for _ in range(count):
        session(chance.choice((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3))).close()
    return count


def request(body=b""):
    head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: %d\r\n\r\n"
    return (head % len(body)).encode() + body


def status(client):
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        if not more:
            return None
        data += more
    return int(data.split()[1])


def tiny(count):
    served = 0
    for _ in range(count):
        client = session()
        # An unknown field, which is nothing but long.
        for byte in request(b"\x7a\x80\x08" + bytes(1024)):
            client.send(bytes([byte]))
        served += status(client) == 200
    return served


held = []


def half(count):
    for number in range(count):
        message = record(22, hello())
        held.append(say(message[: (0, 3, len(message) // 2)[number % 3]]))
    return count


class Bystander:
    def __init__(self):
        self.answered = self.sent = 0
        self.old = session()

    def post(self):
        for client in (self.old, session()):
            self.sent += 1
            try:
                client.sendall(request())
                self.answered += status(client) == 200
            except OSError as error:
                print("bystander failed:", error, flush=True)


attacks = {
    "garbage": all_at_once(garbage),
    "oversized": all_at_once(oversized),
    "endless": all_at_once(endless),
    "ccs": all_at_once(ccs),
    "alerts": all_at_once(alerts),
    "renegotiate": renegotiate,
    "keys": keys,
    "handshakes": handshakes,
    "pieces": lambda count: sum(pieces() for _ in range(count)),
    "tiny": tiny,
    "half": half,
}
bystander = Bystander()
bystander.post()
for order in arguments.what:
    name, _, count = order.partition("=")
    print(name if name != "half" else "held", attacks[name](int(count or 1)), flush=True)
    bystander.post()
sys.stdin.read()
bystander.post()
print("bystander", bystander.answered, bystander.sent, flush=True)
