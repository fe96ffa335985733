"""The time-series store of the quickstart: JSON-RPC 2.0, one document a line, on a Unix socket.

Usage: tsdb.py SOCKET
"""

import json
import os
import socketserver
import sys

SERIES = {"cpu": [0.25, 0.5, 0.75], "memory": [512.0, 640.0]}


def answer(request):
    """Returns the response to one request, or None to a notification."""
    if not isinstance(request, dict) or "id" not in request:
        return None
    reply = {"jsonrpc": "2.0", "id": request["id"]}
    if request.get("method") != "query":
        return {**reply, "error": {"code": -32601, "message": "unknown method"}}
    samples = SERIES.get(request.get("params", {}).get("series"))
    if samples is None:
        return {**reply, "error": {"code": -32001, "message": "unknown series"}}
    return {**reply, "result": samples}


class Connection(socketserver.StreamRequestHandler):
    """One client; requests are answered in their order."""

    def handle(self):
        for line in self.rfile:
            try:
                reply = answer(json.loads(line))
            except ValueError:
                reply = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "not JSON"}}
            if reply is not None:
                self.wfile.write(json.dumps(reply).encode() + b"\n")


class Server(socketserver.ThreadingUnixStreamServer):
    """Connections end with the process."""

    daemon_threads = True


if __name__ == "__main__":
    path = sys.argv[1]
    if os.path.exists(path):
        os.unlink(path)
    with Server(path, Connection) as server:
        server.serve_forever()
