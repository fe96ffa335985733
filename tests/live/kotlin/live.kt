import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import rtt.*

/** Returns what a call is refused with. */
fun refusal(call: () -> Any?): RttException? = try {
    call()
    null
} catch (error: RttException) {
    error
}

fun main() {
    val nasty = AgentTestNastyV1.open(Options(agent = "a.live", timeout = 20.seconds))
    println("instance ${nasty.instance}")
    println("text ${nasty.echoText(AgentTestNastyV1EchoTextParams("naïve ☃ 𝄞 \"quoted\" \\ end"))}")
    println("integer ${nasty.echoInteger(AgentTestNastyV1EchoIntegerParams(9007199254740991))}")
    val leaf = AgentTestNastyV1DepthParamsNode("leaf")
    val twig = AgentTestNastyV1DepthParamsNode("twig", children = listOf(leaf))
    val tree = AgentTestNastyV1DepthParamsNode("root", children = listOf(twig, leaf))
    val found = nasty.depth(AgentTestNastyV1DepthParams(tree))
    println("depth ${found.depth} ${found.deepest.value}")
    println("keywords ${nasty.class_(AgentTestNastyV1ClassParams(import = "word", end = true)).return_}")
    println("empty ${nasty.pingEmpty()}")
    println("large ${nasty.echoText(AgentTestNastyV1EchoTextParams("x".repeat(1048576))).length}")
    val remote = refusal { nasty.fail() }
    if (remote is RttException.Remote) println("remote ${remote.code} ${remote.remoteMessage}")
    nasty.timeout = 300.milliseconds
    if (refusal { nasty.slow() } is RttException.CallTimeout) println("timeout")
    nasty.timeout = 20.seconds
    for ((method, name) in listOf("wrong_id" to "wrong id", "garbage" to "garbage", "half_line" to "half a line")) {
        if (refusal { nasty.call(method) } is RttException.Protocol) println("$name refused")
    }
    if (refusal { nasty.call("echo_text", mapOf("text" to 7)) } is RttException.Protocol) println("wrong type refused")
    if (nasty.health()) println("healthy")
    if (refusal { nasty.shutDown() } is RttException.Protocol) print("failover ")
    val again = nasty.echoText(AgentTestNastyV1EchoTextParams("again"))
    println("${nasty.instance} $again")
    nasty.close()
    if (refusal { AgentTestNastyV1.open(Options(agent = "a.nobody")) } is RttException.NoRoute) println("no route")
    AgentTestNastyV1.open(Options(agent = "a.live")).use(::typed)
}

/** Sends the sample, prints what comes back, and asks for a value of no declared type. */
fun typed(nasty: AgentTestNastyV1) {
    val sample = AgentTestNastyV1TypedParamsSample(
        shape = AgentTestNastyV1TypedParamsSampleShape.OfCircle(
            AgentTestNastyV1TypedParamsCircle(AgentTestNastyV1TypedParamsCircleKind.CIRCLE, radius = 2.5),
        ),
        color = AgentTestNastyV1TypedParamsColor.DARK_RED,
        at = OffsetDateTime.of(2026, 11, 25, 14, 0, 0, 0, ZoneOffset.ofHours(2)),
        data = byteArrayOf(0, -1, 0x41),
        pair = AgentTestNastyV1TypedParamsSamplePair("x", 7),
        tree = AgentTestNastyV1TypedParamsNode(
            "root",
            children = listOf(AgentTestNastyV1TypedParamsNode("leaf")),
            next = AgentTestNastyV1TypedParamsNode("after"),
        ),
        counts = mapOf("a" to 1),
        scalar = AgentTestNastyV1TypedParamsSampleScalar.OfInteger(42),
        merged = AgentTestNastyV1TypedParamsSampleMerged(left = "l", right = 1.0),
        linked = null,
    )
    val found = nasty.typed(AgentTestNastyV1TypedParams(sample))
    val shape = when (val shape = found.shape) {
        is AgentTestNastyV1TypedResultSampleShape.OfCircle -> "circle ${shape.value.radius}"
        is AgentTestNastyV1TypedResultSampleShape.OfSquare -> "square ${shape.value.side}"
    }
    val scalar = when (val scalar = found.scalar) {
        is AgentTestNastyV1TypedResultSampleScalar.OfBoolean -> scalar.value
        is AgentTestNastyV1TypedResultSampleScalar.OfInteger -> scalar.value
        is AgentTestNastyV1TypedResultSampleScalar.OfString -> scalar.value
    }
    val parts = listOf(
        "typed $shape",
        found.color.json,
        DateTimeFormatter.ISO_INSTANT.format(found.at),
        found.data.joinToString("") { "%02x".format(it) },
        "${found.pair.item0} ${found.pair.item1}",
        "${found.tree.children?.first()?.value} ${found.tree.next?.value}",
        found.counts.entries.joinToString(","),
        scalar,
        "${found.merged.left} ${found.merged.right.toBigDecimal().stripTrailingZeros().toPlainString()}",
        "linked ${if (found.linked == null) "none" else "some"}",
        "maybe ${if (found.maybe == null) "absent" else "there"}",
    )
    println(parts.joinToString(" | "))
    if (refusal { nasty.misfit() } is RttException.Protocol) println("misfit refused")
    val either = nasty.either()
    if (either is AgentTestNastyV1EitherResult.OfRight) println("either right ${either.value.right}")
}
