# frozen_string_literal: true

require_relative ".rtt/drivers/ruby/agent_test_nasty_v1"

nasty = AgentTestNastyV1.open(agent: "a.live", timeout: 20)
puts "instance #{nasty.instance}"
puts "text #{nasty.echo_text(text: 'naïve ☃ 𝄞 "quoted" \\ end')}"
puts "integer #{nasty.echo_integer(number: 9_007_199_254_740_991)}"
leaf = { value: "leaf" }
found = nasty.depth(tree: { value: "root", children: [{ value: "twig", children: [leaf] }, leaf] })
puts "depth #{found["depth"]} #{found["deepest"]["value"]}"
puts "keywords #{nasty.class_(import: "word", end_: true)["return"]}"
puts "empty #{nasty.ping_empty}"
puts "large #{nasty.echo_text(text: "x" * 1_048_576).size}"
begin
  nasty.fail
rescue RttRuntime::RemoteError => error
  puts "remote #{error.code} #{error.remote_message}"
end
begin
  nasty.slow(_timeout: 0.3)
rescue RttRuntime::CallTimeoutError
  puts "timeout"
end
{ "wrong_id" => "wrong id", "garbage" => "garbage", "half_line" => "half a line" }.each do |method, name|
  nasty.call(method)
rescue RttRuntime::ProtocolError
  puts "#{name} refused"
end
begin
  nasty.call("echo_text", { text: 7 })
rescue RttRuntime::ProtocolError
  puts "wrong type refused"
end
puts "healthy" if nasty.health
begin
  nasty.shut_down
rescue RttRuntime::ProtocolError
  print "failover "
end
text = nasty.echo_text(text: "again")
puts "#{nasty.instance} #{text}"
nasty.close
begin
  AgentTestNastyV1.open(agent: "a.nobody")
rescue RttRuntime::NoRouteError
  puts "no route"
end
