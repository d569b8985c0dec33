import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { credentialVersion } from "../../../src/core/fingerprint.ts";
import { parseObservation } from "../../../src/host/parse-observation.ts";
import {
  deployRelease,
  deploySet,
  dir,
  HASH,
  home,
  KEY,
  observe,
  observedRelease,
  run,
} from "./observed-home.ts";

const HOSTILE = [
  "a\nb",
  "\nend",
  `x\nkey ${"a".repeat(64)}`,
  "x\ncurrent e30=",
  "-rf",
  "--help",
  "a b  c",
  "quote'\"",
  "back\\slash\\n",
  "$(touch pwned)",
  "`touch pwned`",
  "; touch pwned;",
  "%s%n",
  "*",
  "ünï \u202e cöde",
];

test.each(HOSTILE)("a file named %j alters a release and forges nothing", async (name) => {
  const release = await deployRelease();
  writeFileSync(`${release}/${name}`, "x");
  expect((await observedRelease()).hash).not.toBe(HASH);
  expect(existsSync(`${dir}/pwned`)).toBe(false);
});

test.each(HOSTILE)("directories and credentials named %j forge nothing", async (name) => {
  mkdirSync(`${dir}/releases/${name}`, { recursive: true });
  mkdirSync(`${dir}/credentials/${name}/a/${name}`, { recursive: true });
  writeFileSync(`${dir}/credentials/${name}/a/${name}/c`, "x");
  mkdirSync(`${dir}/.tmp-${name}`);
  symlinkSync("/", `${dir}/releases/${name}/link`);
  const found = await observe();
  expect(found).toMatchObject({ credentialKey: undefined, current: undefined, projectDir: dir });
  expect(found.releases.filter(({ name: hash }) => /^[0-9a-f]{64}$/.test(hash))).toEqual([]);
  expect(existsSync(`${dir}/pwned`)).toBe(false);
});

test("a name that is no text alters a release, too", async () => {
  const release = await deployRelease();
  writeFileSync(Buffer.concat([Buffer.from(`${release}/`), Buffer.from([0xff, 0xfe])]), "x");
  expect((await observedRelease()).hash).not.toBe(HASH);
});

test("a credential's path over two lines cannot stand in for another", async () => {
  const set = await deploySet({ "a/b/c": "1" });
  const forged = `${dir}/credentials/x\ncredentials/${"c".repeat(64)}/a/b`;
  mkdirSync(forged, { recursive: true });
  writeFileSync(`${forged}/d`, "2");
  const { credentialSets } = await observe();
  const own = credentialSets.find(({ name }) => set.endsWith(name));
  const wanted = [{ path: "a/b/c", hash: credentialVersion(KEY, Buffer.from("1")) }];
  expect(own?.files).toEqual(expect.arrayContaining(wanted));
});

test("a project's name is an argument, never code", async () => {
  const found = parseObservation("web-1", await run("$(touch pwned); touch pwned"));
  expect(found.projectDir).toContain("$(touch pwned)");
  expect(existsSync(`${home}/pwned`)).toBe(false);
});
