package.path = ".rtt/drivers/lua/?.lua;" .. package.path
local AgentTestNastyV1 = require("agent_test_nasty_v1")

--- Returns the kind of the error that a function throws.
local function thrown(call, ...)
  local is_done, err = pcall(call, ...)
  return not is_done and err.kind
end

local nasty = AgentTestNastyV1.open({ agent = "a.live", timeout = 20 })
print("instance " .. nasty:instance())
print("text " .. nasty:echo_text({ text = 'naïve ☃ 𝄞 "quoted" \\ end' }))
print("integer " .. nasty:echo_integer({ number = 9007199254740991 }))
local leaf = { value = "leaf" }
local found = nasty:depth({ tree = { value = "root", children = { { value = "twig", children = { leaf } }, leaf } } })
print("depth " .. found.depth .. " " .. found.deepest.value)
print("keywords " .. nasty:class({ import = "word", ["end"] = true })["return"])
print("empty " .. nasty:ping_empty())
print("large " .. #nasty:echo_text({ text = ("x"):rep(1048576) }))
local _, err = pcall(nasty.fail, nasty)
if err.kind == "RemoteError" then print("remote " .. err.code .. " " .. err.remote_message) end
if thrown(nasty.slow, nasty, nil, 0.3) == "CallTimeoutError" then print("timeout") end
for _, case in ipairs({ { "wrong_id", "wrong id" }, { "garbage", "garbage" }, { "half_line", "half a line" } }) do
  if thrown(nasty.call, nasty, case[1]) == "ProtocolError" then print(case[2] .. " refused") end
end
if thrown(nasty.call, nasty, "echo_text", { text = 7 }) == "ProtocolError" then print("wrong type refused") end
if nasty:health() then print("healthy") end
if thrown(nasty.shut_down, nasty) == "ProtocolError" then io.write("failover ") end
local text = nasty:echo_text({ text = "again" })
print(nasty:instance() .. " " .. text)
nasty:close()
if thrown(AgentTestNastyV1.open, { agent = "a.nobody" }) == "NoRouteError" then print("no route") end
