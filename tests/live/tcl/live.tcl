source .rtt/drivers/tcl/agent_test_nasty_v1.tcl
fconfigure stdout -encoding utf-8

# Prints a line if the script fails with the kind of error.
proc refused {kind script line} {
    try {uplevel 1 $script} trap [list RTT $kind] {} {puts $line}
}

set nasty [AgentTestNastyV1 open -agent a.live -timeout 20000]
puts "instance [$nasty instance]"
puts "text [$nasty echo_text text "na\u00efve \u2603 \ud834\udd1e \"quoted\" \\ end"]"
puts "integer [$nasty echo_integer number 9007199254740991]"
set found [$nasty depth tree [dict create value root children {{{"value": "twig", "children": [{"value": "leaf"}]}} {{"value": "leaf"}}}]]
puts "depth [dict get $found depth] [dict get $found deepest value]"
puts "keywords [dict get [$nasty class import word end true] return]"
puts "empty [$nasty ping_empty]"
puts "large [string length [$nasty echo_text text [string repeat x 1048576]]]"
try {$nasty fail} trap {RTT REMOTE} {- options} {
    lassign [dict get $options -errorcode] - - - code message
    puts "remote $code $message"
}
refused TIMEOUT {$nasty slow -timeout 300} timeout
refused PROTOCOL {$nasty call wrong_id} "wrong id refused"
refused PROTOCOL {$nasty call garbage} "garbage refused"
refused PROTOCOL {$nasty call half_line} "half a line refused"
refused PROTOCOL {$nasty call echo_text {{"text": 7}}} "wrong type refused"
if {[$nasty health]} {puts healthy}
try {$nasty shut_down} trap {RTT PROTOCOL} {} {puts -nonewline "failover "}
set text [$nasty echo_text text again]
puts "[$nasty instance] $text"
$nasty close
refused NO_ROUTE {AgentTestNastyV1 open -agent a.nobody} "no route"
