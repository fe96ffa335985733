import sys

sys.path.insert(0, ".rtt/drivers/python")
from agent_storage_tsdb_v1 import (
    AgentStorageTsdbV1,
    CallTimeoutError,
    NoRouteError,
    ProtocolError,
    RemoteError,
)

with AgentStorageTsdbV1.open(agent="a.uds", timeout=20) as tsdb:
    print("uds", tsdb.instance, tsdb.query(series="cpu", from_=1).samples[1])
    try:
        tsdb.fail({})
    except RemoteError as error:
        print("uds remote", error.code, error.message)
    try:
        tsdb.query(series=7)
    except ProtocolError:
        print("uds refused")
    try:
        tsdb.slow(_timeout=0.2)
    except CallTimeoutError:
        print("uds timeout")
    try:
        tsdb.call("garbage")
    except ProtocolError:
        print("uds garbage")
    try:
        tsdb.call("hangup")
    except ProtocolError:
        assert tsdb.query(series="cpu").samples == [1, 2.5]
    if tsdb.health():
        print("uds healthy")
for agent in ["tcp", "stdio", "dead"]:
    with AgentStorageTsdbV1.open(agent="a." + agent, timeout=20) as tsdb:
        print(agent, tsdb.instance, tsdb.call("query", {"series": "cpu"})["samples"][1])
try:
    AgentStorageTsdbV1.open(agent="a.nobody")
except NoRouteError:
    print("none no route")
