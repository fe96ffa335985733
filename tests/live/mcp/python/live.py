import sys

sys.path.insert(0, ".rtt/drivers/python")
from mcp_everything_v0 import McpEverythingV0, ConnectError, ProtocolError, RemoteError
from mcp_own_v0 import McpOwnV0
from mcp_time_v0 import McpTimeV0

KINDS = ["stateless-stdio", "stateless-uds", "handshake-stdio", "handshake-uds", "oldest-stdio", "abrupt-stdio", "abrupt-uds"]


def failure(call, kind):
    """Returns the error that a call must raise."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError("no error")


for lane in ["stdio", "uds"]:
    with McpEverythingV0.open(agent="a.%s" % lane, timeout=60) as everything:
        print(lane, everything.echo(message="hé ☃")[0]["text"])
        print(lane, everything.call("get-sum", {"a": 1, "b": 2})[0]["text"])
        print(lane, everything.call("get-structured-content", {"location": "New York"})["humidity"])
        wrong = {"resourceType": "Text", "resourceId": -1}
        error = failure(lambda: everything.call("get-resource-reference", wrong), RemoteError)
        print(lane, error.code, error.message.split(":")[0], error.data[0]["type"])
    with McpTimeV0.open(agent="a.%s" % lane, timeout=60) as time:
        there = {"source_timezone": "Asia/Tokyo", "time": "12:00", "target_timezone": "UTC"}
        print(lane, time.call("convert_time", there)["time_difference"])
        nowhere = {**there, "source_timezone": "Mars/Phobos"}
        error = failure(lambda: time.call("convert_time", nowhere), RemoteError)
        print(lane, error.code, error.message)
for kind in KINDS:
    with McpOwnV0.open(agent="a.%s" % kind, timeout=60) as own:
        echoed = own.call("echo", {"text": kind})
        print(echoed["text"], echoed["era"], own.call("plain")[0]["text"])
        error = failure(lambda: own.call("refuse"), RemoteError)
        print(kind, error.code, error.message.replace("\n", " "), len(error.data))
        print(kind, failure(lambda: own.call("nope"), RemoteError).code)
        if kind.startswith("stateless"):
            failure(lambda: own.call("ask"), ProtocolError)
            print(kind, "input refused")
        else:
            answers = own.call("ask")
            print(kind, answers["roots/list"], answers["sampling/createMessage"])
        failure(lambda: own.call("die"), ProtocolError)
        if own.health():
            print(kind, "restarted", own.call("echo", {"text": "again"})["text"])
for kind in ["silent-stdio", "late-stdio"]:
    with McpOwnV0.open(agent="a.%s" % kind, timeout=60) as own:
        echoed = own.call("echo", {"text": kind})
        print(echoed["text"], echoed["era"])
for kind in ["newer-stdio", "unknown-stdio", "missing-stdio"]:
    failure(lambda: McpOwnV0.open(agent="a.%s" % kind, timeout=60), ConnectError)
    print(kind, "not reached")
