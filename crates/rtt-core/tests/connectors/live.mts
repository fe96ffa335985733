import {
  AgentStorageTsdbV1,
  CallTimeoutError,
  NoRouteError,
  ProtocolError,
  RemoteError,
} from "./.rtt/drivers/typescript/agent_storage_tsdb_v1.js";

/** Returns what a call is rejected with. */
async function rejection(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error("it was not rejected");
}

const tsdb = await AgentStorageTsdbV1.open({ agent: "a.uds", timeoutMs: 20000 });
const first = await tsdb.query({ series: "cpu", from: 1 });
const sample: number = first.samples[1];
console.log("uds", tsdb.instance, sample);
const remote = await rejection(tsdb.fail({}));
if (remote instanceof RemoteError) console.log("uds remote", remote.code, remote.remoteMessage);
const refused = await rejection(tsdb.call("query", { series: 7 }));
if (refused instanceof ProtocolError) console.log("uds refused");
const late = await rejection(tsdb.slow(undefined, { timeoutMs: 200 }));
if (late instanceof CallTimeoutError) console.log("uds timeout");
const garbage = await rejection(tsdb.call("garbage"));
if (garbage instanceof ProtocolError) console.log("uds garbage");
if (await tsdb.health()) console.log("uds healthy");
await tsdb.close();
for (const agent of ["tcp", "stdio", "dead"]) {
  const other = await AgentStorageTsdbV1.open({ agent: `a.${agent}`, timeoutMs: 20000 });
  const result = await other.query({ series: "cpu" });
  console.log(agent, other.instance, result.samples[1]);
  await other.close();
}
const lost = await rejection(AgentStorageTsdbV1.open({ agent: "a.nobody" }));
if (lost instanceof NoRouteError) console.log("none no route");
