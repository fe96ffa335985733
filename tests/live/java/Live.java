import java.time.Duration;
import java.util.List;
import java.util.Map;
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
        Map<String, Object> leaf = Map.of("value", "leaf");
        List<Object> children = List.of(Map.of("value", "twig", "children", List.of(leaf)), leaf);
        var found = nasty.depth(new AgentTestNastyV1DepthParams(new AgentTestNastyV1DepthParamsTree("root", children)));
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
    }
}
