"""The provider of `nasty.json`, on a Unix socket or a TCP port: answers, fails and misbehaves as its methods' names say.

Usage: provider.py PATH | provider.py 127.0.0.1:0

Prints where it listens once it does. A notification goes before each answer, as real servers send them.
"""

import datetime
import json
import os
import socketserver
import sys
import time

SAMPLE = {
    "shape": {"kind": "circle", "radius": 2.5},
    "color": "dark red",
    "at": "2026-11-25T12:00:00Z",
    "data": "AP9B",
    "pair": ["x", 7],
    "tree": {"value": "root", "children": [{"value": "leaf"}], "next": {"value": "after"}},
    "counts": {"a": 1},
    "scalar": 42,
    "merged": {"left": "l", "right": 1},
    "linked": None,
}

# A reader that looks into each figure for every kind that it could be looks 2^60 times.
MISFIT = {"kind": "triangle", "radius": 1, "side": 1}
for _ in range(60):
    MISFIT = {"inner": MISFIT, "kind": "half"}


def is_sample(value):
    """Tells whether a value is the sample; a point in time may be spelt in several ways."""
    if not isinstance(value, dict) or not isinstance(value.get("at"), str):
        return False
    instant = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return instant(value["at"]) == instant(SAMPLE["at"]) and {**value, "at": SAMPLE["at"]} == SAMPLE


def measure(tree):
    """Returns depth and deepest node of a tree."""
    below = [measure(child) for child in tree.get("children", [])]
    depth, deepest = max(below, key=lambda found: found[0], default=(0, tree))
    return depth + 1, deepest


class Connection(socketserver.StreamRequestHandler):
    """One client; requests are answered in their order."""

    def say(self, document):
        self.wfile.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")

    def handle(self):
        for line in self.rfile:
            request = json.loads(line)
            if "id" not in request:
                continue
            try:
                if not self.answer(request, request.get("params") or {}):
                    return
            except BrokenPipeError:
                return

    def answer(self, request, params):
        """Answers one request; returns whether the connection goes on."""
        reply = {"jsonrpc": "2.0", "id": request["id"]}
        self.say({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}})
        method = request["method"]
        if method == "echo_text":
            self.say({**reply, "result": params["text"]})
        elif method == "echo_integer":
            self.say({**reply, "result": params["number"]})
        elif method == "depth":
            depth, deepest = measure(params["tree"])
            self.say({**reply, "result": {"depth": depth, "deepest": {"value": deepest["value"]}}})
        elif method == "typed":
            if is_sample(params["sample"]):
                self.say({**reply, "result": SAMPLE})
            else:
                self.say({**reply, "error": {"code": -32602, "message": "not the sample: %s" % json.dumps(params["sample"])}})
        elif method == "either":
            self.say({**reply, "result": {"right": 3}})
        elif method == "misfit":
            self.say({**reply, "result": MISFIT})
        elif method == "class":
            self.say({**reply, "result": {"return": params["import"] + "!"}})
        elif method == "ping_empty":
            self.say({**reply, "result": "pong"})
        elif method == "fail":
            self.say({**reply, "error": {"code": -32001, "message": "boom", "data": {"why": "on purpose"}}})
        elif method == "slow":
            time.sleep(3)
            self.say({**reply, "result": None})
        elif method == "wrong_id":
            self.say({**reply, "id": "somebody else's", "result": None})
        elif method == "garbage":
            self.wfile.write(b"this is not JSON\n")
        elif method == "half_line":
            self.wfile.write(b'{"jsonrpc": "2.0", "id"')
            return False
        elif method == "shut_down":
            # First of all nobody new is let in: whoever notices the end must not reach a listener that is about to go.
            self.server.socket.close()
            os._exit(0)
        else:
            self.say({**reply, "error": {"code": -32601, "message": "unknown method"}})
        return True


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def main():
    where = sys.argv[1]
    if ":" in where:
        host, port = where.rsplit(":", 1)
        server = TcpServer((host, int(port)), Connection)
        where = "%s:%d" % server.server_address
    else:
        server = UnixServer(where, Connection)
    with server:
        print(where, flush=True)
        server.serve_forever()


main()
