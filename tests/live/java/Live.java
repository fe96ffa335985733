import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import rtt.AgentTestNastyV1;
import rtt.AgentTestNastyV1.*;
import rtt.RttClient.Options;
import rtt.RttException;

public class Live {
    /** Returns what a call is refused with. */
    private static RttException refusal(Runnable call) {
        try {
            call.run();
            return null;
        } catch (RttException error) {
            return error;
        }
    }

    public static void main(String[] arguments) {
        Options options = Options.DEFAULT.withAgent("a.live").withTimeout(Duration.ofSeconds(20));
        AgentTestNastyV1 nasty = AgentTestNastyV1.open(options);
        System.out.println("instance " + nasty.instance());
        String text = nasty.echoText(new AgentTestNastyV1EchoTextParams("naïve ☃ 𝄞 \"quoted\" \\ end"));
        System.out.println("text " + text);
        long number = nasty.echoInteger(new AgentTestNastyV1EchoIntegerParams(9007199254740991L));
        System.out.println("integer " + number);
        var leaf = new AgentTestNastyV1DepthParamsNode("leaf");
        var twig = new AgentTestNastyV1DepthParamsNode("twig", List.of(leaf));
        var tree = new AgentTestNastyV1DepthParamsNode("root", List.of(twig, leaf));
        var found = nasty.depth(new AgentTestNastyV1DepthParams(tree));
        System.out.println("depth " + found.depth() + " " + found.deepest().value());
        var words = new AgentTestNastyV1ClassParams("word", true, null, null);
        System.out.println("keywords " + nasty.class_(words).return_());
        System.out.println("empty " + nasty.pingEmpty());
        System.out.println("large " + nasty.echoText(new AgentTestNastyV1EchoTextParams("x".repeat(1048576))).length());
        if (refusal(nasty::fail) instanceof RttException.Remote remote) {
            System.out.println("remote " + remote.code() + " " + remote.remoteMessage());
        }
        nasty.setTimeout(Duration.ofMillis(300));
        if (refusal(nasty::slow) instanceof RttException.CallTimeout) {
            System.out.println("timeout");
        }
        nasty.setTimeout(Duration.ofSeconds(20));
        for (String[] one : new String[][] {{"wrong_id", "wrong id"}, {"garbage", "garbage"}, {"half_line", "half a line"}}) {
            if (refusal(() -> nasty.call(one[0], null)) instanceof RttException.Protocol) {
                System.out.println(one[1] + " refused");
            }
        }
        if (refusal(() -> nasty.call("echo_text", Map.of("text", 7))) instanceof RttException.Protocol) {
            System.out.println("wrong type refused");
        }
        if (nasty.health()) {
            System.out.println("healthy");
        }
        if (refusal(nasty::shutDown) instanceof RttException.Protocol) {
            System.out.print("failover ");
        }
        String again = nasty.echoText(new AgentTestNastyV1EchoTextParams("again"));
        System.out.println(nasty.instance() + " " + again);
        nasty.close();
        if (refusal(() -> AgentTestNastyV1.open(Options.DEFAULT.withAgent("a.nobody"))) instanceof RttException.NoRoute) {
            System.out.println("no route");
        }
        try (AgentTestNastyV1 typed = AgentTestNastyV1.open(options)) {
            typed(typed);
        }
    }

    /** Sends the sample, prints what comes back, and asks for a value of no declared type. */
    private static void typed(AgentTestNastyV1 nasty) {
        var leaf = new AgentTestNastyV1TypedParamsNode("leaf");
        var circle = new AgentTestNastyV1TypedParamsCircle(AgentTestNastyV1TypedParamsCircleKind.CIRCLE, 2.5);
        var sample = new AgentTestNastyV1TypedParamsSample(
            new AgentTestNastyV1TypedParamsSampleShape.OfCircle(circle),
            AgentTestNastyV1TypedParamsColor.DARK_RED,
            OffsetDateTime.of(2026, 11, 25, 14, 0, 0, 0, ZoneOffset.ofHours(2)),
            new byte[] {0, -1, 'A'},
            new AgentTestNastyV1TypedParamsSamplePair("x", 7L),
            new AgentTestNastyV1TypedParamsNode("root", List.of(leaf), new AgentTestNastyV1TypedParamsNode("after")),
            Map.of("a", 1L),
            new AgentTestNastyV1TypedParamsSampleScalar.OfInteger(42L),
            new AgentTestNastyV1TypedParamsSampleMerged("l", 1.0),
            null);
        var found = nasty.typed(new AgentTestNastyV1TypedParams(sample));
        String shape = found.shape() instanceof AgentTestNastyV1TypedResultSampleShape.OfCircle round ? "circle " + round.value().radius() : "";
        String at = found.at().withOffsetSameInstant(ZoneOffset.UTC).format(DateTimeFormatter.ISO_OFFSET_DATE_TIME);
        String pair = found.pair().item0() + " " + found.pair().item1();
        String tree = found.tree().children().get(0).value() + " " + found.tree().next().value();
        String counts = found.counts().entrySet().stream().map(String::valueOf).collect(Collectors.joining(","));
        long scalar = found.scalar() instanceof AgentTestNastyV1TypedResultSampleScalar.OfInteger integer ? integer.value() : 0;
        String merged = found.merged().left() + " " + Math.round(found.merged().right());
        String linked = "linked " + (found.linked() == null ? "none" : "some");
        String maybe = "maybe " + (found.maybe() == null ? "absent" : "there");
        String data = HexFormat.of().formatHex(found.data());
        Object[] parts = {"typed " + shape, found.color().json(), at, data, pair, tree, counts, scalar, merged, linked, maybe};
        System.out.println(Stream.of(parts).map(String::valueOf).collect(Collectors.joining(" | ")));
        if (refusal(nasty::misfit) instanceof RttException.Protocol) {
            System.out.println("misfit refused");
        }
        if (nasty.either() instanceof AgentTestNastyV1EitherResult.OfRight right) {
            System.out.println("either right " + right.value().right());
        }
    }
}
