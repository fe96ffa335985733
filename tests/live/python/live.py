import sys

sys.path.insert(0, ".rtt/drivers/python")
import datetime

import agent_test_nasty_v1 as api
from agent_test_nasty_v1 import AgentTestNastyV1, CallTimeoutError, NoRouteError, ProtocolError, RemoteError

nasty = AgentTestNastyV1.open(agent="a.live", timeout=20)
print("instance", nasty.instance)
print("text", nasty.echo_text(text='naïve ☃ 𝄞 "quoted" \\ end'))
print("integer", nasty.echo_integer(number=9007199254740991))
Node = api.AgentTestNastyV1DepthParamsNode
leaf = Node(value="leaf")
found = nasty.depth(tree=Node(value="root", children=[Node(value="twig", children=[leaf]), leaf]))
print("depth", found.depth, found.deepest.value)
print("keywords", nasty.class_(import_="word", end=True).return_)
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

with AgentTestNastyV1.open(agent="a.live") as nasty:
    Tree = api.AgentTestNastyV1TypedParamsNode
    sample = api.AgentTestNastyV1TypedParamsSample(
        shape=api.AgentTestNastyV1TypedParamsCircle(kind=api.AgentTestNastyV1TypedParamsCircleKind.CIRCLE, radius=2.5),
        color=api.AgentTestNastyV1TypedParamsColor.DARK_RED,
        at=datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.timezone.utc),
        data=b"\x00\xffA",
        pair=("x", 7),
        tree=Tree(value="root", children=[Tree(value="leaf")], next=Tree(value="after")),
        counts={"a": 1},
        scalar=42,
        merged=api.AgentTestNastyV1TypedParamsSampleMerged(left="l", right=1),
        linked=None,
    )
    found = nasty.typed(sample=sample)
    shape = type(found.shape).__name__.rpartition("Result")[2].lower()
    at = found.at.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    tree = "%s %s" % (found.tree.children[0].value, found.tree.next.value)
    counts = ",".join("%s=%d" % pair for pair in found.counts.items())
    merged = "%s %g" % (found.merged.left, found.merged.right)
    linked = "none" if found.linked is None else "some"
    maybe = "absent" if found.maybe is api.UNSET else "there"
    print(
        "typed", shape, found.shape.radius, "|", found.color.value, "|", at, "|", found.data.hex(), "|", *found.pair,
        "|", tree, "|", counts, "|", found.scalar, "|", merged, "| linked", linked, "| maybe", maybe,
    )
    try:
        nasty.misfit()
    except ProtocolError:
        print("misfit refused")
    either = nasty.either()
    if isinstance(either, api.AgentTestNastyV1EitherResultRight):
        print("either right", either.right)
