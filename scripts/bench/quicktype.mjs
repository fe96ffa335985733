// Generates types with quicktype for what stage 30 generated connectors for: each file of .rtt/cache/connectors.json, with
// all params and results of its provider, in one process.
//
// Usage: node quicktype.mjs ROOT MODULES, MODULES being a node_modules folder that holds quicktype-core. Prints the number
// of connectors and the milliseconds that they took; starting Node.js and loading quicktype do not count.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [root, modules] = process.argv.slice(2);
const { InputData, JSONSchemaInput, quicktype } = createRequire(resolve(modules, "x.js"))("quicktype-core");

const read = (name) => JSON.parse(readFileSync(join(root, ".rtt/cache", name), "utf8"));
const methods = new Map();
for (const { symbol, version, provides } of read("registry.json").instances) {
  methods.set(`${symbol}@${version}`, provides.methods);
}
const { connectors } = read("connectors.json");

async function generate({ serves, language }) {
  const schemas = new JSONSchemaInput(undefined);
  for (const [name, method] of Object.entries(methods.get(serves[0].to))) {
    for (const part of ["params", "result"]) {
      await schemas.addSource({ name: `${name}_${part}`, schema: JSON.stringify(method[part]) });
    }
  }
  const inputData = new InputData();
  inputData.addInput(schemas);
  return (await quicktype({ inputData, lang: language })).lines.length;
}

// One of each language first, so that the compiler of Node.js is warm.
const languages = new Set();
for (const connector of connectors) {
  if (!languages.has(connector.language)) await generate(connector);
  languages.add(connector.language);
}
const started = performance.now();
for (const connector of connectors) await generate(connector);
console.log(connectors.length, Math.round(performance.now() - started));
