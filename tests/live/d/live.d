import core.time : msecs, seconds;
import std.array : replicate;
import std.exception : collectException;
import std.stdio : write, writeln;

import agent_test_nasty_v1;

JSONValue node(string value, JSONValue[] children)
{
    return JSONValue(["value": JSONValue(value), "children": JSONValue(children)]);
}

void main()
{
    Options options = {agent: "a.live", timeout: 20.seconds};
    auto nasty = new AgentTestNastyV1(options);
    writeln("instance ", nasty.instance);
    writeln("text ", nasty.echoText(AgentTestNastyV1EchoTextParams("naïve ☃ 𝄞 \"quoted\" \\ end")));
    writeln("integer ", nasty.echoInteger(AgentTestNastyV1EchoIntegerParams(9_007_199_254_740_991)));
    auto leaf = node("leaf", []);
    auto tree = AgentTestNastyV1DepthParamsTree("root", nullable([node("twig", [leaf]), leaf]));
    const found = nasty.depth(AgentTestNastyV1DepthParams(tree));
    writeln("depth ", found.depth, " ", found.deepest.value);
    AgentTestNastyV1ClassParams words = {import_: "word", end: true};
    writeln("keywords ", nasty.class_(words).return_);
    writeln("empty ", nasty.pingEmpty);
    writeln("large ", nasty.echoText(AgentTestNastyV1EchoTextParams("x".replicate(1_048_576))).length);
    if (auto error = collectException!RemoteException(nasty.fail))
        writeln("remote ", error.code, " ", error.words);
    nasty.setTimeout(300.msecs);
    if (collectException!CallTimeoutException(nasty.slow))
        writeln("timeout");
    nasty.setTimeout(20.seconds);
    foreach (one; [["wrong_id", "wrong id"], ["garbage", "garbage"], ["half_line", "half a line"]])
    {
        if (collectException!ProtocolException(nasty.call(one[0])))
            writeln(one[1], " refused");
    }
    if (collectException!ProtocolException(nasty.call("echo_text", JSONValue(["text": 7]))))
        writeln("wrong type refused");
    if (nasty.health)
        writeln("healthy");
    if (collectException!ProtocolException(nasty.shutDown))
        write("failover ");
    const text = nasty.echoText(AgentTestNastyV1EchoTextParams("again"));
    writeln(nasty.instance, " ", text);
    nasty.close();
    options.agent = "a.nobody";
    if (collectException!NoRouteException(new AgentTestNastyV1(options)))
        writeln("no route");
}
