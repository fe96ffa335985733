using System;
using System.Collections.Generic;
using Rtt;

internal static class Live
{
    /// <summary>Returns what a call is refused with.</summary>
    private static RttException Refusal(Action call)
    {
        try
        {
            call();
            return null;
        }
        catch (RttException error)
        {
            return error;
        }
    }

    private static Dictionary<string, object> Node(string value, params object[] children) =>
        new Dictionary<string, object> { { "value", value }, { "children", children } };

    private static void Main()
    {
        var nasty = AgentTestNastyV1.Open(new Options { Agent = "a.live", Timeout = TimeSpan.FromSeconds(20) });
        Console.WriteLine("instance " + nasty.Instance);
        string text = nasty.EchoText(new AgentTestNastyV1EchoTextParams { Text = "naïve ☃ 𝄞 \"quoted\" \\ end" });
        Console.WriteLine("text " + text);
        long? number = nasty.EchoInteger(new AgentTestNastyV1EchoIntegerParams { Number = 9007199254740991 });
        Console.WriteLine("integer " + number);
        var children = new List<object> { Node("twig", Node("leaf")), Node("leaf") };
        var tree = new AgentTestNastyV1DepthParamsTree { Value = "root", Children = children };
        var found = nasty.Depth(new AgentTestNastyV1DepthParams { Tree = tree });
        Console.WriteLine("depth " + found.Depth + " " + found.Deepest.Value);
        var words = nasty.Class(new AgentTestNastyV1ClassParams { Import = "word", End = true });
        Console.WriteLine("keywords " + words.Return);
        Console.WriteLine("empty " + nasty.PingEmpty());
        Console.WriteLine("large " + nasty.EchoText(new AgentTestNastyV1EchoTextParams { Text = new string('x', 1048576) }).Length);
        if (Refusal(() => nasty.Fail()) is RemoteException remote)
        {
            Console.WriteLine("remote " + remote.Code + " " + remote.RemoteMessage);
        }
        nasty.Timeout = TimeSpan.FromMilliseconds(300);
        if (Refusal(() => nasty.Slow()) is CallTimeoutException)
        {
            Console.WriteLine("timeout");
        }
        nasty.Timeout = TimeSpan.FromSeconds(20);
        foreach (var one in new[] { (method: "wrong_id", name: "wrong id"), ("garbage", "garbage"), ("half_line", "half a line") })
        {
            if (Refusal(() => nasty.Call(one.method)) is ProtocolException)
            {
                Console.WriteLine(one.name + " refused");
            }
        }
        if (Refusal(() => nasty.Call("echo_text", new Dictionary<string, object> { { "text", 7 } })) is ProtocolException)
        {
            Console.WriteLine("wrong type refused");
        }
        if (nasty.Health())
        {
            Console.WriteLine("healthy");
        }
        if (Refusal(() => nasty.ShutDown()) is ProtocolException)
        {
            Console.Write("failover ");
        }
        text = nasty.EchoText(new AgentTestNastyV1EchoTextParams { Text = "again" });
        Console.WriteLine(nasty.Instance + " " + text);
        nasty.Close();
        if (Refusal(() => AgentTestNastyV1.Open(new Options { Agent = "a.nobody" })) is NoRouteException)
        {
            Console.WriteLine("no route");
        }
    }
}
