"""Hypercorn with an ASGI application that echoes bodies, over HTTP/2 with TLS and by prior knowledge.

Usage: asgi.py CERTIFICATE KEY. It listens on two free ports of the loopback interface, one with TLS and one without.
It prints both, and ends with its standard input.
"""

import asyncio
import os
import socket
import sys
import threading

from hypercorn.asyncio import serve
from hypercorn.config import Config

TEXT = b"".join(b"line %d\n" % n for n in range(20000))


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    found = scope["method"] == "POST" or scope["path"] == "/text"
    body = body if scope["method"] == "POST" else TEXT if found else b"nothing here"
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200 if found else 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def listener():
    one = socket.socket()
    one.bind(("127.0.0.1", 0))
    return one


def end_with_input():
    sys.stdin.read()
    os._exit(0)


secure, plain = listener(), listener()
config = Config()
config.certfile, config.keyfile = sys.argv[1:3]
config.bind, config.insecure_bind = [f"fd://{secure.fileno()}"], [f"fd://{plain.fileno()}"]
config.alpn_protocols = ["h2"]
config.accesslog = config.errorlog = None
secure.listen(), plain.listen()
print(secure.getsockname()[1], plain.getsockname()[1], flush=True)
threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(serve(app, config))
