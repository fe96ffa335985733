alias AgentTestNastyV1, as: Nasty
alias Rtt.{CallTimeoutError, NoRouteError, ProtocolError, RemoteError}

{:ok, nasty} = Nasty.open(agent: "a.live", timeout: 20_000)
IO.puts("instance #{Nasty.instance(nasty)}")
{:ok, text} = Nasty.echo_text(nasty, text: "naïve ☃ 𝄞 \"quoted\" \\ end")
IO.puts("text #{text}")
{:ok, integer} = Nasty.echo_integer(nasty, number: 9_007_199_254_740_991)
IO.puts("integer #{integer}")
leaf = %{value: "leaf"}
tree = %{value: "root", children: [%{value: "twig", children: [leaf]}, leaf]}
{:ok, found} = Nasty.depth(nasty, tree: tree)
IO.puts("depth #{found["depth"]} #{found["deepest"]["value"]}")
{:ok, %{"return" => word}} = Nasty.class(nasty, import_: "word", end_: true)
IO.puts("keywords #{word}")
{:ok, pong} = Nasty.ping_empty(nasty)
IO.puts("empty #{pong}")
{:ok, large} = Nasty.echo_text(nasty, text: String.duplicate("x", 1_048_576))
IO.puts("large #{String.length(large)}")
{:error, %RemoteError{code: code, reason: reason}} = Nasty.fail(nasty)
IO.puts("remote #{code} #{reason}")
{:error, %CallTimeoutError{}} = Nasty.slow(nasty, nil, timeout: 300)
IO.puts("timeout")

for {name, shown} <- [{"wrong_id", "wrong id"}, {"garbage", "garbage"}, {"half_line", "half a line"}] do
  {:error, %ProtocolError{}} = Nasty.call(nasty, name)
  IO.puts("#{shown} refused")
end

{:error, %ProtocolError{}} = Nasty.call(nasty, "echo_text", %{text: 7})
IO.puts("wrong type refused")
true = Nasty.health(nasty)
IO.puts("healthy")
{:error, %ProtocolError{}} = Nasty.shut_down(nasty)
{:ok, again} = Nasty.echo_text(nasty, text: "again")
IO.puts("failover #{Nasty.instance(nasty)} #{again}")
:ok = Nasty.close(nasty)
{:error, %NoRouteError{}} = Nasty.open(agent: "a.nobody")
IO.puts("no route")
