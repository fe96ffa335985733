import {
  AgentTestNastyV1,
  CallTimeoutError,
  NoRouteError,
  ProtocolError,
  RemoteError,
  type AgentTestNastyV1TypedParamsSample,
} from "./.rtt/drivers/typescript/agent_test_nasty_v1.js";

/** Returns what a call is rejected with. */
function rejection(call: Promise<unknown>): Promise<unknown> {
  return call.then(() => undefined, (error: unknown) => error);
}

const nasty = await AgentTestNastyV1.open({ agent: "a.live", timeoutMs: 20000 });
console.log("instance", nasty.instance);
const text: string = await nasty.echoText({ text: 'naïve ☃ 𝄞 "quoted" \\ end' });
console.log("text", text);
const integer: number = await nasty.echoInteger({ number: 9007199254740991 });
console.log("integer", integer);
const leaf = { value: "leaf" };
const found = await nasty.depth({ tree: { value: "root", children: [{ value: "twig", children: [leaf] }, leaf] } });
console.log("depth", found.depth, found.deepest.value);
const { return: word } = await nasty.class_({ import: "word", end: true });
console.log("keywords", word);
console.log("empty", await nasty.pingEmpty());
console.log("large", (await nasty.echoText({ text: "x".repeat(1048576) })).length);
const remote = await rejection(nasty.fail());
if (remote instanceof RemoteError) console.log("remote", remote.code, remote.remoteMessage);
if ((await rejection(nasty.slow(undefined, { timeoutMs: 300 }))) instanceof CallTimeoutError) console.log("timeout");
for (const [method, name] of [["wrong_id", "wrong id"], ["garbage", "garbage"], ["half_line", "half a line"]] as const) {
  if ((await rejection(nasty.call(method))) instanceof ProtocolError) console.log(name, "refused");
}
if ((await rejection(nasty.call("echo_text", { text: 7 }))) instanceof ProtocolError) console.log("wrong type refused");
if (await nasty.health()) console.log("healthy");
if ((await rejection(nasty.shutDown())) instanceof ProtocolError) process.stdout.write("failover ");
const again = await nasty.echoText({ text: "again" });
console.log(nasty.instance, again);
await nasty.close();
if ((await rejection(AgentTestNastyV1.open({ agent: "a.nobody" }))) instanceof NoRouteError) console.log("no route");

const typed = await AgentTestNastyV1.open({ agent: "a.live" });
const sample: AgentTestNastyV1TypedParamsSample = {
  shape: { kind: "circle", radius: 2.5 },
  color: "dark red",
  at: new Date(Date.UTC(2026, 10, 25, 12)),
  data: new Uint8Array([0x00, 0xff, 0x41]),
  pair: ["x", 7],
  tree: { value: "root", children: [{ value: "leaf" }], next: { value: "after" } },
  counts: { a: 1 },
  scalar: 42,
  merged: { left: "l", right: 1 },
  linked: null,
};
const { shape, color, at, data, pair, tree, counts, scalar, merged, linked, maybe } = await typed.typed({ sample });
const size = shape.kind === "circle" ? shape.radius : shape.side;
const hex = [...data].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const counted = Object.entries(counts).map(([name, count]) => `${name}=${count}`).join();
console.log(
  `typed ${shape.kind} ${size} | ${color} | ${at.toISOString().replace(".000", "")} | ${hex} | ${pair.join(" ")}`,
  `| ${tree.children?.[0].value} ${tree.next?.value} | ${counted} | ${scalar} | ${merged.left} ${merged.right}`,
  `| linked ${linked === null ? "none" : "some"} | maybe ${maybe === undefined ? "absent" : "there"}`,
);
if ((await rejection(typed.misfit())) instanceof ProtocolError) console.log("misfit refused");
const either = await typed.either();
if ("right" in either) console.log("either right", either.right);
await typed.close();
