#!/usr/bin/env node
// Prints the outdated npm dependencies of a checked-out project as a JSON array:
//   outdated <directory> [--registry <url>]
//   [{ "name", "current", "latest", "change": "major" | "minor" | "patch", "repository" }]
// Sorted: major changes first, then by name. Exit status 1 when a file cannot be read.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { registry: { type: "string", default: "https://registry.npmjs.org" } },
});
const directory = positionals[0] ?? ".";

const installed = await installedVersions(directory);
const looked = await inGroupsOf(8, Object.entries(installed), lookUp);
const outdated = looked.filter((found) => found !== undefined);
const order = ["major", "minor", "patch"];
outdated.sort(
  (a, b) => order.indexOf(a.change) - order.indexOf(b.change) || (a.name < b.name ? -1 : 1),
);
process.stdout.write(`${JSON.stringify(outdated, null, 2)}\n`);

/** Direct dependencies with the versions that the lock file has, or else the manifest asks for. */
async function installedVersions(root) {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const lock = await readFile(join(root, "package-lock.json"), "utf8").then(JSON.parse, () => ({}));
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
  return Object.fromEntries(
    Object.entries(wanted).flatMap(([name, range]) => {
      const version = lock.packages?.[`node_modules/${name}`]?.version ?? range;
      const plain = /(\d+)\.(\d+)\.(\d+)/.exec(version)?.[0];
      return plain ? [[name, plain]] : [];
    }),
  );
}

async function lookUp([name, current]) {
  const address = `${values.registry}/${name.replace("/", "%2f")}/latest`;
  const response = await fetch(address, { signal: AbortSignal.timeout(20_000) }).catch(() => null);
  if (!response?.ok) {
    process.stderr.write(`${name}: the registry did not answer (${response?.status ?? "no connection"})\n`);
    return undefined;
  }
  const { version, repository } = await response.json();
  const change = kindOfChange(current, version);
  const url = typeof repository === "string" ? repository : repository?.url;
  return change && { name, current, latest: version, change, repository: url ?? null };
}

function kindOfChange(from, to) {
  const [a, b] = [from, to].map((version) => /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number));
  if (!a || !b) return undefined;
  const at = a.findIndex((part, index) => part !== b[index]);
  if (at === -1 || b[at] < a[at]) return undefined;
  return ["major", "minor", "patch"][at];
}

async function inGroupsOf(size, items, work) {
  const results = [];
  for (let at = 0; at < items.length; at += size) {
    results.push(...(await Promise.all(items.slice(at, at + size).map(work))));
  }
  return results;
}
