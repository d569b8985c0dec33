import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { credentialVersion } from "../../../src/core/fingerprint.ts";
import { parseObservation } from "../../../src/host/parse-observation.ts";
import { writeFileAtomic } from "../../../src/transport/files.ts";
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
  transport,
} from "./observed-home.ts";

test("a home without the project gives its facts and nothing else", async () => {
  const found = await observe();
  expect(found).toMatchObject({
    projectDir: dir,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    credentialKey: undefined,
    current: undefined,
    inventory: { items: [] },
    releases: [],
    credentialSets: [],
    temporary: [],
  });
  expect(found.projectFreeBytes).toBeGreaterThan(0);
  expect(found.dockerFreeBytes).toBeGreaterThan(0);
  expect(existsSync(join(home, ".action-llama"))).toBe(false);
});

test("a marker of an operator counts by being there, whatever it says", async () => {
  await deployRelease();
  expect((await observe()).stopped).toBeUndefined();
  const mark = async (text: string) => {
    writeFileSync(join(dir, "stopped.json"), text);
    return (await observe()).stopped;
  };
  expect(await mark('{"since":5,"by":"ann@laptop","drained":true,"later":1}')).toEqual({
    since: 5,
    by: "ann@laptop",
    drained: true,
  });
  for (const text of ["", "{", "null", '{"since":-1}', '{"by":"ann@laptop"}']) {
    expect(await mark(text)).toEqual({ since: 0 });
  }
});

test("a release that was written hashes to its name", async () => {
  await deployRelease();
  expect(await observedRelease()).toEqual({ hash: HASH, oddities: [] });
});

test.each<[string, (release: string) => void]>([
  ["altered", (release) => writeFileSync(`${release}/project.json`, "{} ")],
  ["missing", (release) => rmSync(`${release}/agents/dev/ACTIONS.md`)],
  ["added", (release) => writeFileSync(`${release}/extra`, "")],
  ["added under the name of a leftover", (release) => writeFileSync(`${release}/.tmp-x`, "")],
])("a file that was %s changes what a release hashes to", async (_what, change) => {
  change(await deployRelease());
  expect((await observedRelease()).hash).not.toBe(HASH);
});

test("what is neither file nor directory is an oddity", async () => {
  const release = await deployRelease();
  symlinkSync("/etc/passwd", `${release}/agents/passwd`);
  execFileSync("mkfifo", [`${release}/pipe`]);
  const { hash, oddities } = await observedRelease();
  expect(hash).toBe(HASH);
  expect([...oddities].sort()).toEqual([
    "agents/passwd is not a regular file",
    "pipe is not a regular file",
  ]);
});

test("a file that was replaced by a link to itself elsewhere is an oddity", async () => {
  const release = await deployRelease();
  rmSync(`${release}/project.json`);
  writeFileSync(`${home}/project.json`, "{}\n");
  symlinkSync(`${home}/project.json`, `${release}/project.json`);
  expect((await observedRelease()).oddities).toEqual(["project.json is not a regular file"]);
});

test("a release that is itself a link is not that release", async () => {
  const release = await deployRelease();
  const argv = ["mv", release, `${home}/elsewhere`];
  expect(await transport.exec(argv)).toMatchObject({ code: 0 });
  symlinkSync(`${home}/elsewhere`, release);
  expect((await observe()).releases.filter(({ name }) => name === HASH)).toEqual([]);
});

test("leftovers are listed with their full path, and are no releases", async () => {
  await deployRelease();
  for (const path of [".tmp-a", "releases/.tmp-b", "credentials/.tmp-c"]) {
    mkdirSync(`${dir}/${path}/tree`, { recursive: true });
    writeFileSync(`${dir}/${path}/tree/file`, "half");
    symlinkSync("/", `${dir}/${path}/tree/link`);
  }
  await deploySet({});
  const { temporary, releases, credentialSets } = await observe();
  expect([...temporary].sort()).toEqual(
    [".tmp-a", "credentials/.tmp-c", "releases/.tmp-b"].map((path) => `${dir}/${path}`),
  );
  expect(releases.map(({ name }) => name)).toEqual([HASH]);
  expect(credentialSets.map(({ name }) => name)).toEqual(["c".repeat(64)]);
});

test("a credential's version is the one that the core computes, whatever the bytes", async () => {
  const values = {
    "github_token/default/token": "ghp_abc",
    "git_ssh/botty/id_rsa": "-----BEGIN-----\nabc\n-----END-----\n\n",
    "odd/a/zeros": Buffer.from([0, 1, 0, 255, 10, 0]),
    "odd/a/empty": "",
    "odd/a/percent": "%s\\n $HOME `id`",
  };
  await deploySet(values);
  const { credentialKey, credentialSets } = await observe();
  expect(credentialKey).toBe(KEY);
  expect(credentialSets[0]?.oddities).toEqual([]);
  const versions = Object.fromEntries(
    credentialSets[0]?.files.map(({ path, hash }) => [path, hash]) ?? [],
  );
  const expected = Object.entries(values).map(([path, value]) => {
    return [path, credentialVersion(KEY, Buffer.from(value))];
  });
  expect(versions).toEqual(Object.fromEntries(expected));
});

test("no credential value is ever printed", async () => {
  const secret = "a-secret-to-hide";
  const set = await deploySet({ "github_token/default/token": secret });
  writeFileSync(`${set}/github_token/default/copy`, secret);
  expect(await run()).not.toContain(secret);
});

test("a credential that others may read is an oddity", async () => {
  const set = await deploySet({ "a/b/c": "1", "a/b/d": "2" });
  await chmod(`${set}/a/b/c`, 0o644);
  const { credentialSets } = await observe();
  expect(credentialSets[0]?.oddities).toEqual(["a/b/c has the wrong mode"]);
});

test("a set without a key has no versions", async () => {
  await deploySet({ "a/b/c": "1" });
  rmSync(`${dir}/credential.key`);
  const { credentialKey, credentialSets } = await observe();
  expect(credentialKey).toBeUndefined();
  expect(credentialSets).toMatchObject([{ files: [] }]);
});

test.each([
  ["empty", ""],
  ["no hash", "hunter2"],
  ["cut off", KEY.slice(1)],
])("a key that is %s counts as absent, so that it is written anew", async (_what, text) => {
  await deploySet({ "a/b/c": "1" });
  writeFileSync(`${dir}/credential.key`, text);
  expect((await observe()).credentialKey).toBeUndefined();
});

test("only the first line of a key counts, in its own report and in the versions", async () => {
  await deploySet({ "a/b/c": "1" });
  writeFileSync(`${dir}/credential.key`, `${KEY}\nend\nuid 0\n`);
  const { credentialKey, credentialSets, uid } = await observe();
  expect({ credentialKey, uid }).toEqual({ credentialKey: KEY, uid: process.getuid?.() });
  expect(credentialSets[0]?.files[0]?.hash).toBe(credentialVersion(KEY, Buffer.from("1")));
});

test("current.json and the inventory are read as they were written", async () => {
  const network = {
    name: "al-acme",
    bridge: "al-1",
    subnet: "10.213.1.0/24",
    gateway: "10.213.1.1",
  };
  const live = { release: HASH, credentials: HASH, runtime: "al-acme-runtime-1", network };
  const current = { project: "acme", host: "web-1", revision: "r1", ...live };
  const inventory = { items: [{ kind: "release", id: HASH }] };
  const write = (name: string, value: unknown) =>
    writeFileAtomic(transport, `${dir}/${name}`, Buffer.from(JSON.stringify(value)));
  await write("current.json", current);
  await write("applied.json", inventory);
  expect(await observe()).toMatchObject({ current, inventory });
});

test.each(["", "{", "[]", '{"release":"../../etc"}'])(
  "a current.json that holds %j counts as absent",
  async (text) => {
    await writeFileAtomic(transport, `${dir}/current.json`, Buffer.from(text));
    expect((await observe()).current).toBeUndefined();
  },
);

test.each(["", "{", '{"items":[{"kind":"home","id":"/"}]}'])(
  "an inventory that holds %j is an error, since what is ours is unknown",
  async (text) => {
    await writeFileAtomic(transport, `${dir}/applied.json`, Buffer.from(text));
    await expect(observe()).rejects.toMatchObject({ code: "inventory-damaged", blame: "user" });
  },
);

test("an observation that was cut off is not taken for a whole one", async () => {
  await deployRelease();
  const output = await run();
  for (const end of [0, 10, output.length - 5, output.length - 2]) {
    expect(() => parseObservation("web-1", output.slice(0, end))).toThrow(/cut off/);
  }
});

test("a machine that no agent can run on is named", () => {
  expect(() => parseObservation("web-1", "machine riscv64\nend\n")).toThrow(/riscv64 machine/);
});

test("everything that lies in the directory is listed, whatever its name", async () => {
  await deployRelease();
  writeFileSync(join(dir, "notes.txt"), "");
  writeFileSync(join(dir, "two\ntemporary lines"), "");
  mkdirSync(join(dir, "releases/mine"));
  writeFileSync(join(dir, ".tmp-leftover"), "");
  const { entries, temporary } = await observe();
  expect(entries).toEqual([
    "notes.txt",
    "releases",
    `releases/${HASH}`,
    "releases/mine",
    "two?temporary lines",
  ]);
  expect(temporary).toEqual([`${dir}/.tmp-leftover`]);
});
