import sys

sys.path.insert(0, ".rtt/drivers/python")
from agent_test_nasty_v1 import AgentTestNastyV1, CallTimeoutError, NoRouteError, ProtocolError, RemoteError

nasty = AgentTestNastyV1.open(agent="a.live", timeout=20)
print("instance", nasty.instance)
print("text", nasty.echo_text(text='naïve ☃ 𝄞 "quoted" \\ end'))
print("integer", nasty.echo_integer(number=9007199254740991))
leaf = {"value": "leaf"}
found = nasty.depth(tree={"value": "root", "children": [{"value": "twig", "children": [leaf]}, leaf]})
print("depth", found["depth"], found["deepest"]["value"])
print("keywords", nasty.class_(import_="word", end=True)["return"])
print("empty", nasty.ping_empty())
print("large", len(nasty.echo_text(text="x" * 1048576)))
try:
    nasty.fail()
except RemoteError as error:
    print("remote", error.code, error.message)
try:
    nasty.slow(_timeout=0.3)
except CallTimeoutError:
    print("timeout")
for method, name in [("wrong_id", "wrong id"), ("garbage", "garbage"), ("half_line", "half a line")]:
    try:
        nasty.call(method)
    except ProtocolError:
        print(name, "refused")
try:
    nasty.call("echo_text", {"text": 7})
except ProtocolError:
    print("wrong type refused")
if nasty.health():
    print("healthy")
try:
    nasty.shut_down()
except ProtocolError:
    print("failover", end=" ")
text = nasty.echo_text(text="again")
print(nasty.instance, text)
nasty.close()
try:
    AgentTestNastyV1.open(agent="a.nobody")
except NoRouteError:
    print("no route")
