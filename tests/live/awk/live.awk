@include "agent_test_nasty_v1.awk"

# Prints a line if a call has failed with the kind of error.
function refused(kind, has_succeeded, line) {
    if (! has_succeeded && rtt::error == kind)
        print line
}

BEGIN {
    options["agent"] = "a.live"
    options["timeout"] = 20
    agent_test_nasty_v1__open(options)
    print "instance", agent_test_nasty_v1__instance()
    text["text"] = "naïve ☃ 𝄞 \"quoted\" \\ end"
    agent_test_nasty_v1__echo_text(text)
    print "text", rtt::get(".")
    number["number"] = 9007199254740991
    agent_test_nasty_v1__echo_integer(number)
    print "integer", rtt::result
    leaf = "{\"value\": \"leaf\"}"
    tree["tree"] = "{\"value\": \"root\", \"children\": [{\"value\": \"twig\", \"children\": [" leaf "]}, " leaf "]}"
    agent_test_nasty_v1__depth(tree)
    print "depth", rtt::get("\"\\(.depth) \\(.deepest.value)\"")
    word["import"] = "word"
    word["end"] = "true"
    agent_test_nasty_v1__class(word)
    print "keywords", rtt::get(".return")
    agent_test_nasty_v1__ping_empty()
    print "empty", rtt::get(".")
    text["text"] = sprintf("%1048576s", "")
    agent_test_nasty_v1__echo_text(text)
    print "large", rtt::get("length")
    if (! agent_test_nasty_v1__fail() && rtt::error == "remote")
        print "remote", rtt::error_code, rtt::error_message
    refused("timeout", agent_test_nasty_v1__slow("", 0.3), "timeout")
    refused("protocol", agent_test_nasty_v1__call("wrong_id"), "wrong id refused")
    refused("protocol", agent_test_nasty_v1__call("garbage"), "garbage refused")
    refused("protocol", agent_test_nasty_v1__call("half_line"), "half a line refused")
    refused("protocol", agent_test_nasty_v1__call("echo_text", "{\"text\": 7}"), "wrong type refused")
    if (agent_test_nasty_v1__health())
        print "healthy"
    if (! agent_test_nasty_v1__shut_down() && rtt::error == "protocol")
        printf "failover "
    text["text"] = "again"
    agent_test_nasty_v1__echo_text(text)
    print agent_test_nasty_v1__instance(), rtt::get(".")
    agent_test_nasty_v1__close()
    options["agent"] = "a.nobody"
    refused("no_route", agent_test_nasty_v1__open(options), "no route")
}
