"use strict";

const { AgentStorageTsdbV1, CallTimeoutError, NoRouteError, ProtocolError, RemoteError } = require(
  "./.rtt/drivers/node/agent_storage_tsdb_v1.js",
);

async function main() {
  const tsdb = await AgentStorageTsdbV1.open({ agent: "a.uds", timeoutMs: 20000 });
  const first = await tsdb.query({ series: "cpu", from: 1 });
  console.log("uds", tsdb.instance, first.samples[1]);
  await tsdb.fail({}).catch((error) => {
    if (error instanceof RemoteError) console.log("uds remote", error.code, error.remoteMessage);
  });
  await tsdb.query({ series: 7 }).catch((error) => {
    if (error instanceof ProtocolError) console.log("uds refused");
  });
  await tsdb.slow(undefined, { timeoutMs: 200 }).catch((error) => {
    if (error instanceof CallTimeoutError) console.log("uds timeout");
  });
  await tsdb.call("garbage").catch((error) => {
    if (error instanceof ProtocolError) console.log("uds garbage");
  });
  if (await tsdb.health()) console.log("uds healthy");
  await tsdb.close();
  for (const agent of ["tcp", "stdio", "dead"]) {
    const other = await AgentStorageTsdbV1.open({ agent: `a.${agent}`, timeoutMs: 20000 });
    const result = await other.call("query", { series: "cpu" });
    console.log(agent, other.instance, result.samples[1]);
    await other.close();
  }
  await AgentStorageTsdbV1.open({ agent: "a.nobody" }).catch((error) => {
    if (error instanceof NoRouteError) console.log("none no route");
  });
}

main();
