"""A server of the Model Context Protocol that does one thing wrong, or right in an unusual way.

Usage: server.py KIND [FILE]

Writes its process number to FILE, and below it that of a child which it never ends.
"""

import json
import os
import signal
import subprocess
import sys
import time

KIND = sys.argv[1]
if len(sys.argv) > 2:
    child = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(sys.argv[2], "w") as file:
        file.write("%d\n%d\n" % (os.getpid(), child.pid))
if KIND == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def say(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def tool(name, **more):
    return {"name": name, "description": "The tool " + name, "inputSchema": {"type": "object"}, **more}


def page(params):
    """The result of tools/list."""
    if KIND == "pages":
        at = int(params.get("cursor", "0"))
        more = {"nextCursor": str(at + 1)} if at < 4 else {}
        return {"tools": [tool("t%d" % (at * 2)), tool("t%d" % (at * 2 + 1))], **more}
    if KIND == "circle":
        return {"tools": [tool("t")], "nextCursor": "again"}
    if KIND == "nothing":
        return {"tools": []}
    if KIND == "no-list":
        return {"toolz": []}
    if KIND == "odd-schema":
        return {"tools": [tool("good"), {"name": "odd", "inputSchema": {"type": "what"}}, {"name": "flat", "inputSchema": {"type": "string"}}]}
    if KIND == "leaky":
        return {"tools": [tool("t", description="Uses the key " + os.environ["API_KEY"])]}
    annotations = {"title": "A tool", "annotations": {"readOnlyHint": True}}
    return {"tools": [tool("t", outputSchema={"type": "object"}, **annotations)]}


for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request or "method" not in request:
        continue
    reply, method = {"id": request["id"]}, request["method"]
    if KIND == "mute" or (KIND == "stubborn" and method == "tools/list"):
        time.sleep(1000)
    if KIND == "dies":
        print("cannot log in with", os.environ.get("API_KEY", "no key"), file=sys.stderr, flush=True)
        sys.exit(3)
    if KIND == "babble":
        print("Welcome to the server!", flush=True)
    if KIND == "endless":
        while True:
            sys.stdout.write("x" * 65536)
    if method == "initialize":
        capabilities = {} if KIND == "no-tools" else {"tools": {}}
        about = {} if KIND == "nameless" else {"serverInfo": {"name": "Odd Server/" + KIND, "version": "v1.2"}}
        reply["result"] = {"protocolVersion": "2025-11-25", "capabilities": capabilities, **about}
    elif method == "tools/list" and KIND == "refuses":
        reply["error"] = {"code": -32603, "message": "the \x1b[31mdatabase is down"}
    elif method == "tools/list":
        reply["result"] = page(request.get("params", {}))
    else:
        reply["error"] = {"code": -32601, "message": "Method not found"}
    say(reply)
if KIND == "stubborn":
    time.sleep(1000)
