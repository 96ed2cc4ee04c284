"""Serves httpbin on a free port of the loopback interface. It prints the port, and ends with its standard input."""

import os
import sys
import threading

import waitress
from httpbin import app


def end_with_input():
    sys.stdin.read()
    os._exit(0)


server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4)
print(server.effective_port, flush=True)
threading.Thread(target=end_with_input, daemon=True).start()
server.run()
