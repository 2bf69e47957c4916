"""TLS servers for clients to judge: each on a port of its own, with a certificate of its own.

usage: tls_servers.py CHAIN KEY [CHAIN KEY ...]

Prints one line with the ports, in the order of the certificates. Whoever ends a handshake with one is greeted as by an
HTTP/2 server and then heard until it goes. Ends with its standard input.
"""

import socket
import ssl
import sys
import threading

SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def serve(listener, context):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=talk, args=(connection, context), daemon=True).start()


def talk(connection, context):
    try:
        with context.wrap_socket(connection, server_side=True) as session:
            session.sendall(SETTINGS)
            while session.recv(65536):
                pass
    except OSError:
        pass  # The client did not like the certificate, or has gone.


ports = []
files = sys.argv[1:]
for chain, key in zip(files[::2], files[1::2]):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # What the certificate is worth is for the client to judge.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(chain, key)
    context.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    ports.append(listener.getsockname()[1])
    threading.Thread(target=serve, args=(listener, context), daemon=True).start()
print(*ports, flush=True)
sys.stdin.read()
