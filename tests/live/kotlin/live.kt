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
    val leaf = mapOf("value" to "leaf")
    val children = listOf(mapOf("value" to "twig", "children" to listOf(leaf)), leaf)
    val found = nasty.depth(AgentTestNastyV1DepthParams(AgentTestNastyV1DepthParamsTree("root", children)))
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
}
