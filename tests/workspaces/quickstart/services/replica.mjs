// The read-only replica of the quickstart: JSON-RPC 2.0, one document a line, on a Unix socket.
//
// Usage: replica.mjs SOCKET

import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const SERIES = { cpu: [0.25, 0.5, 0.75], memory: [512, 640] };

function answer(request) {
  const reply = { jsonrpc: "2.0", id: request.id };
  if (request.method !== "query") return { ...reply, error: { code: -32601, message: "unknown method" } };
  const series = request.params?.series;
  if (!Object.hasOwn(SERIES, series)) return { ...reply, error: { code: -32001, message: "unknown series" } };
  return { ...reply, result: SERIES[series] };
}

const path = process.argv[2];
rmSync(path, { force: true });
createServer((socket) => {
  socket.on("error", () => socket.destroy());
  createInterface({ input: socket }).on("line", (line) => {
    let reply;
    try {
      const request = JSON.parse(line);
      if (request?.id === undefined) return;
      reply = answer(request);
    } catch {
      reply = { jsonrpc: "2.0", id: null, error: { code: -32700, message: "not JSON" } };
    }
    socket.write(JSON.stringify(reply) + "\n");
  });
}).listen(path);
