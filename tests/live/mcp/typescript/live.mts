import { McpEverythingV0, ConnectError, ProtocolError, RemoteError } from "./.rtt/drivers/typescript/mcp_everything_v0.js";
import { McpOwnV0 } from "./.rtt/drivers/typescript/mcp_own_v0.js";
import { McpTimeV0 } from "./.rtt/drivers/typescript/mcp_time_v0.js";

const KINDS = ["stateless-stdio", "stateless-uds", "handshake-stdio", "handshake-uds", "oldest-stdio", "abrupt-stdio", "abrupt-uds"];

/** Returns the error that a call must be rejected with. */
async function failure<T extends Error>(call: Promise<unknown>, kind: abstract new (...all: any[]) => T): Promise<T> {
  const error = await call.then(() => undefined, (reason: unknown) => reason);
  if (error instanceof kind) return error;
  throw error instanceof Error ? error : new Error("no error");
}

for (const lane of ["stdio", "uds"]) {
  const everything = await McpEverythingV0.open({ agent: `a.${lane}`, timeoutMs: 60000 });
  console.log(lane, (await everything.echo({ message: "hé ☃" }) as any)[0].text);
  console.log(lane, (await everything.call("get-sum", { a: 1, b: 2 }))[0].text);
  console.log(lane, (await everything.call("get-structured-content", { location: "New York" })).humidity);
  const wrong = everything.call("get-resource-reference", { resourceType: "Text", resourceId: -1 });
  const refusal = await failure(wrong, RemoteError);
  console.log(lane, refusal.code, refusal.remoteMessage.split(":")[0], (refusal.data as any)[0].type);
  await everything.close();
  const time = await McpTimeV0.open({ agent: `a.${lane}`, timeoutMs: 60000 });
  const there = { source_timezone: "Asia/Tokyo", time: "12:00", target_timezone: "UTC" };
  console.log(lane, (await time.call("convert_time", there)).time_difference);
  const nowhere = await failure(time.call("convert_time", { ...there, source_timezone: "Mars/Phobos" }), RemoteError);
  console.log(lane, nowhere.code, nowhere.remoteMessage);
  await time.close();
}
for (const kind of KINDS) {
  const own = await McpOwnV0.open({ agent: `a.${kind}`, timeoutMs: 60000 });
  const echoed = await own.call("echo", { text: kind });
  console.log(echoed.text, echoed.era, (await own.call("plain"))[0].text);
  const refusal = await failure(own.call("refuse"), RemoteError);
  console.log(kind, refusal.code, refusal.remoteMessage.replace("\n", " "), (refusal.data as any).length);
  console.log(kind, (await failure(own.call("nope"), RemoteError)).code);
  if (kind.startsWith("stateless")) {
    await failure(own.call("ask"), ProtocolError);
    console.log(kind, "input refused");
  } else {
    const answers = await own.call("ask");
    console.log(kind, answers["roots/list"], answers["sampling/createMessage"]);
  }
  await failure(own.call("die"), ProtocolError);
  if (await own.health()) console.log(kind, "restarted", (await own.call("echo", { text: "again" })).text);
  await own.close();
}
for (const kind of ["silent-stdio", "late-stdio"]) {
  const own = await McpOwnV0.open({ agent: `a.${kind}`, timeoutMs: 60000 });
  const echoed = await own.call("echo", { text: kind });
  console.log(echoed.text, echoed.era);
  await own.close();
}
for (const kind of ["newer-stdio", "unknown-stdio", "missing-stdio"]) {
  await failure(McpOwnV0.open({ agent: `a.${kind}`, timeoutMs: 60000 }), ConnectError);
  console.log(kind, "not reached");
}
