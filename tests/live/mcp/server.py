"""A server of the Model Context Protocol on standard input and output, written from its specification.

Usage: server.py KIND

stateless   the revision 2026-07-28: no handshake, the version in every request; it refuses whatever is missing
late        the same, but its answer to `server/discover` comes only once a handshake was tried
newer       the same, of a revision that is not written yet
handshake   the revision 2025-11-25: nothing but `ping` before the handshake; it asks the client, too
oldest      the revision 2024-11-05
silent      as `handshake`, but a method that it does not know before the handshake is never answered
abrupt      as `handshake`, but it hangs up then
unknown     answers the handshake in a revision that nobody knows

Each writes much to its standard error, and notifications before its answers.
"""

import json
import sys

KIND = sys.argv[1]
IS_STATELESS = KIND in ("stateless", "late", "newer")
VERSION = {"newer": "2999-01-01", "oldest": "2024-11-05", "unknown": "1999-01-01"}.get(KIND, "2025-11-25")
STATELESS = VERSION if KIND == "newer" else "2026-07-28"
PREFIX = "io.modelcontextprotocol/"
TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
ECHO = {"type": "object", "properties": {"text": {"type": "string"}, "era": {"type": "string"}}, "required": ["text", "era"]}
TOOLS = [
    {"name": "echo", "description": "Returns the text", "inputSchema": TEXT, "outputSchema": ECHO},
    {"name": "plain", "description": "Returns content alone", "inputSchema": {"type": "object"}},
    {"name": "refuse", "description": "Fails on purpose", "inputSchema": {"type": "object"}},
    {"name": "ask", "description": "Wants something of the client", "inputSchema": {"type": "object"}},
    {"name": "die", "description": "Ends the server, without an answer", "inputSchema": {"type": "object"}},
]


class Refusal(Exception):
    """A request is answered with an error: code, message, data."""


def say(message):
    print(json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False), flush=True)


def note(method):
    say({"method": "notifications/" + method, "params": {}})


def read():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    message = json.loads(line)
    assert message["jsonrpc"] == "2.0"
    return message


def ask(method):
    """Sends a request to the client, which has nothing else to say before it answers."""
    say({"id": "ask " + method, "method": method})
    answer = read()
    assert answer["id"] == "ask " + method, answer
    return answer["error"]["code"] if "error" in answer else answer["result"]


def call(name, arguments):
    if name == "echo":
        echoed = {"text": arguments["text"], "era": STATELESS if IS_STATELESS else VERSION}
        return {"content": [{"type": "text", "text": json.dumps(echoed)}], "structuredContent": echoed}
    if name == "plain":
        return {"content": [{"type": "text", "text": "plain ☃"}]}
    if name == "refuse":
        image = {"type": "image", "data": "", "mimeType": "image/png"}
        return {"isError": True, "content": [{"type": "text", "text": "no"}, image, {"type": "text", "text": "never"}]}
    if name == "ask" and IS_STATELESS:
        return {"resultType": "input_required", "inputRequests": {"roots": {"method": "roots/list"}}}
    if name == "ask":
        answers = {method: ask(method) for method in ("ping", "roots/list", "sampling/createMessage")}
        return {"content": [], "structuredContent": answers}
    if name == "die":
        sys.exit(1)
    raise Refusal(-32602, "Unknown tool: " + name, None)


def check_meta(params):
    """Demands what every request of the stateless revision has."""
    meta = params.get("_meta", {})
    if not isinstance(meta.get(PREFIX + "clientCapabilities"), dict) or PREFIX + "protocolVersion" not in meta:
        raise Refusal(-32602, "the request lacks its metadata", None)
    asked = meta[PREFIX + "protocolVersion"]
    if asked != STATELESS:
        raise Refusal(-32022, "Unsupported protocol version", {"supported": [STATELESS], "requested": asked})


def answer_stateless(method, params):
    if method == "initialize":
        raise Refusal(-32601, "there is no handshake; this server speaks " + STATELESS, None)
    check_meta(params)
    if method == "server/discover":
        return {"resultType": "complete", "supportedVersions": [STATELESS], "capabilities": {"tools": {}}}
    note("progress")
    if method == "tools/list":
        return {"resultType": "complete", "tools": TOOLS, "ttlMs": 0, "cacheScope": "private"}
    if method == "tools/call":
        return {"resultType": "complete", **call(params["name"], params["arguments"])}
    raise Refusal(-32601, "Method not found", None)


def serve_stateless():
    held = None
    while True:
        request = read()
        # This revision's clients never answer: what has no method is no request.
        reply = {"id": request["id"]}
        try:
            reply["result"] = answer_stateless(request["method"], request.get("params", {}))
        except Refusal as refusal:
            code, message, data = refusal.args
            reply["error"] = {"code": code, "message": message, "data": data}
        if KIND == "late" and request["method"] == "server/discover" and held is None:
            held = reply
            continue
        if held:
            say(held)
            held = {}
        say(reply)


def answer_handshaken(method, params, is_open):
    if method == "initialize":
        assert isinstance(params["capabilities"], dict) and params["clientInfo"]["name"] and "_meta" not in params
        assert params["protocolVersion"] == "2025-11-25"
        note("message")
        assert ask("ping") == {}
        return {"protocolVersion": VERSION, "capabilities": {"tools": {}}, "serverInfo": {"name": "own", "version": "1.0.0"}}
    if method == "ping":
        return {}
    if not is_open:
        raise Refusal(-32602 if KIND == "oldest" else -32601, "the handshake comes first", None)
    note("tools/list_changed")
    note("message")
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        return call(params["name"], params["arguments"])
    raise Refusal(-32601, "Method not found", None)


def serve_handshaken():
    is_open = False
    while True:
        message = read()
        if message["method"] == "notifications/initialized":
            is_open = True
        if "id" not in message:
            continue
        if not is_open and message["method"] not in ("initialize", "ping"):
            if KIND == "abrupt":
                sys.exit(1)
            if KIND == "silent":
                continue
        reply = {"id": message["id"]}
        try:
            reply["result"] = answer_handshaken(message["method"], message.get("params", {}), is_open)
        except Refusal as refusal:
            code, text, _ = refusal.args
            reply["error"] = {"code": code, "message": text}
        say(reply)


print("noise " * 20_000, file=sys.stderr, flush=True)
serve_stateless() if IS_STATELESS else serve_handshaken()
