setopt err_exit no_unset pipe_fail
source .rtt/drivers/zsh/agent_test_nasty_v1.zsh

# The text, or the member of an object, that the last call returned.
result() { jq -r "$1" <<<"$RTT_RESULT"; }

# Runs a call and tells whether it failed with the kind of error.
fails_with() { ! "${@:2}" 2>/dev/null && [[ $RTT_ERROR == "$1" ]]; }

agent_test_nasty_v1::open --agent a.live --timeout 20
echo "instance $(agent_test_nasty_v1::instance)"
agent_test_nasty_v1::echo_text text='naïve ☃ 𝄞 "quoted" \ end'
echo "text $(result .)"
agent_test_nasty_v1::echo_integer number=9007199254740991
echo "integer $RTT_RESULT"
agent_test_nasty_v1::depth tree='{"value": "root", "children": [{"value": "twig", "children": [{"value": "leaf"}]}, {"value": "leaf"}]}'
echo "depth $(result '"\(.depth) \(.deepest.value)"')"
agent_test_nasty_v1::class import=word end=true
echo "keywords $(result .return)"
agent_test_nasty_v1::ping_empty
echo "empty $(result .)"
agent_test_nasty_v1::echo_text text="$(printf 'x%.0s' {1..1048576})"
echo "large $(result length)"
if fails_with remote agent_test_nasty_v1::fail; then echo "remote $RTT_ERROR_CODE $RTT_ERROR_MESSAGE"; fi
if fails_with timeout agent_test_nasty_v1::slow --timeout 0.3; then echo timeout; fi
if fails_with protocol agent_test_nasty_v1::call wrong_id; then echo "wrong id refused"; fi
if fails_with protocol agent_test_nasty_v1::call garbage; then echo "garbage refused"; fi
if fails_with protocol agent_test_nasty_v1::call half_line; then echo "half a line refused"; fi
if fails_with protocol agent_test_nasty_v1::call echo_text '{"text": 7}'; then echo "wrong type refused"; fi
if agent_test_nasty_v1::health; then echo healthy; fi
if fails_with protocol agent_test_nasty_v1::shut_down; then echo -n "failover "; fi
agent_test_nasty_v1::echo_text text=again
echo "$(agent_test_nasty_v1::instance) $(result .)"
agent_test_nasty_v1::close
if fails_with no_route agent_test_nasty_v1::open --agent a.nobody; then echo "no route"; fi
