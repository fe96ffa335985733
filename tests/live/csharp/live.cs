using System;
using System.Collections.Generic;
using System.Linq;
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

    private static AgentTestNastyV1DepthParamsNode Node(string value, params AgentTestNastyV1DepthParamsNode[] children) =>
        new AgentTestNastyV1DepthParamsNode { Value = value, Children = children.ToList() };

    private static void Main()
    {
        var nasty = AgentTestNastyV1.Open(new Options { Agent = "a.live", Timeout = TimeSpan.FromSeconds(20) });
        Console.WriteLine("instance " + nasty.Instance);
        string text = nasty.EchoText(new AgentTestNastyV1EchoTextParams { Text = "naïve ☃ 𝄞 \"quoted\" \\ end" });
        Console.WriteLine("text " + text);
        long? number = nasty.EchoInteger(new AgentTestNastyV1EchoIntegerParams { Number = 9007199254740991 });
        Console.WriteLine("integer " + number);
        var tree = Node("root", Node("twig", Node("leaf")), Node("leaf"));
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
        using (var again = AgentTestNastyV1.Open(new Options { Agent = "a.live" }))
        {
            Typed(again);
        }
    }

    /// <summary>Sends the sample, prints what comes back, and asks for a value of no declared type.</summary>
    private static void Typed(AgentTestNastyV1 nasty)
    {
        var circle = new AgentTestNastyV1TypedParamsCircle { Kind = AgentTestNastyV1TypedParamsCircleKind.Circle, Radius = 2.5 };
        var leaf = new AgentTestNastyV1TypedParamsNode { Value = "leaf" };
        var sample = new AgentTestNastyV1TypedParamsSample
        {
            Shape = AgentTestNastyV1TypedParamsSampleShape.OfCircle(circle),
            Color = AgentTestNastyV1TypedParamsColor.DarkRed,
            At = new DateTimeOffset(2026, 11, 25, 14, 0, 0, TimeSpan.FromHours(2)),
            Data = new byte[] { 0, 255, 65 },
            Pair = new AgentTestNastyV1TypedParamsSamplePair { Item0 = "x", Item1 = 7 },
            Tree = new AgentTestNastyV1TypedParamsNode
            {
                Value = "root",
                Children = new List<AgentTestNastyV1TypedParamsNode> { leaf },
                Next = new AgentTestNastyV1TypedParamsNode { Value = "after" },
            },
            Counts = new Dictionary<string, long?> { { "a", 1 } },
            Scalar = AgentTestNastyV1TypedParamsSampleScalar.OfInteger(42),
            Merged = new AgentTestNastyV1TypedParamsSampleMerged { Left = "l", Right = 1 },
            Linked = null,
        };
        var found = nasty.Typed(new AgentTestNastyV1TypedParams { Sample = sample });
        var parts = new object[]
        {
            "typed circle " + found.Shape.AsCircle.Radius,
            found.Color.Value.ToJson(),
            found.At.Value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
            string.Concat(found.Data.Select(one => one.ToString("x2"))),
            found.Pair.Item0 + " " + found.Pair.Item1,
            found.Tree.Children[0].Value + " " + found.Tree.Next.Value,
            string.Join(",", found.Counts.Select(one => one.Key + "=" + one.Value)),
            found.Scalar.AsInteger,
            found.Merged.Left + " " + found.Merged.Right,
            "linked " + (found.Linked == null ? "none" : "some"),
            "maybe " + (found.Maybe == null ? "absent" : "there"),
        };
        Console.WriteLine(string.Join(" | ", parts));
        if (Refusal(() => nasty.Misfit()) is ProtocolException)
        {
            Console.WriteLine("misfit refused");
        }
        var either = nasty.Either();
        if (either.AsRight != null)
        {
            Console.WriteLine("either right " + either.AsRight.Right);
        }
    }
}
