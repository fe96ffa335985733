source(".rtt/drivers/r/agent_test_nasty_v1.R", chdir = TRUE)

say <- function(...) cat(..., "\n", sep = "")

# Returns the class of the error that an expression signals.
thrown <- function(expression) {
  tryCatch({ expression; "" }, rtt_error = function(error) class(error)[[1]])
}

nasty <- AgentTestNastyV1$open(agent = "a.live", timeout = 20)
say("instance ", nasty$instance())
say("text ", nasty$echo_text(text = "naïve ☃ 𝄞 \"quoted\" \\ end"))
say("integer ", sprintf("%.0f", nasty$echo_integer(number = 9007199254740991)))
leaf <- list(value = "leaf")
twig <- list(value = "twig", children = list(leaf))
found <- nasty$depth(tree = list(value = "root", children = list(twig, leaf)))
say("depth ", found$depth, " ", found$deepest$value)
say("keywords ", nasty$class(import = "word", end = TRUE)$return)
say("empty ", nasty$ping_empty())
say("large ", nchar(nasty$echo_text(text = strrep("x", 1048576))))
tryCatch(nasty$fail(), rtt_remote_error = function(error) say("remote ", error$code, " ", error$remote_message))
if (thrown(nasty$slow(.timeout = 0.3)) == "rtt_call_timeout_error") say("timeout")
cases <- c(wrong_id = "wrong id", garbage = "garbage", half_line = "half a line")
for (method in names(cases)) {
  if (thrown(nasty$call(method)) == "rtt_protocol_error") say(cases[[method]], " refused")
}
if (thrown(nasty$call("echo_text", list(text = 7))) == "rtt_protocol_error") say("wrong type refused")
if (nasty$health()) say("healthy")
if (thrown(nasty$shut_down()) == "rtt_protocol_error") cat("failover ")
text <- nasty$echo_text(text = "again")
say(nasty$instance(), " ", text)
nasty$close()
if (thrown(AgentTestNastyV1$open(agent = "a.nobody")) == "rtt_no_route_error") say("no route")
