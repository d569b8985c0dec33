import { expect, test } from "vitest";
import { Secret } from "../../src/base/secret.ts";
import { sha256, treeHash } from "../../src/core/fingerprint.ts";
import type { Current } from "../../src/core/observed.ts";
import { type HostRig, releaseStep, TOKEN } from "./host-rig.ts";

/** Steps that make files: the project, releases, credentials. */
export function fileCases(use: () => HostRig): void {
  test("a host on which nothing was done has no key, nothing live and nothing listed", async () => {
    expect(await use().observe()).toMatchObject({
      ...{ host: use().bench.host, credentialKey: undefined, current: undefined },
      ...{ inventory: { items: [] }, releases: [], credentialSets: [], temporary: [] },
      ...{ images: [], containers: [], network: undefined, runtime: undefined },
    });
    expect((await use().look()).files).toEqual(new Map());
  });

  test("preparing gives it the proposed key, once and for all", async () => {
    const { session, proposedKey, bench } = use();
    const before = await use().observe();
    const context = use().context(use().spec(), before);
    await session.carryOut({ kind: "prepare-project" }, context);
    await session.carryOut({ kind: "prepare-project" }, context);
    const other = { ...context, proposedKey: new Secret(sha256("another")) };
    const observed = await session.observe(bench.project);
    await session.carryOut({ kind: "prepare-project" }, { ...other, observed });
    expect((await use().observe()).credentialKey).toBe(proposedKey.reveal());
    const { files } = await use().look();
    expect(files.get("credential.key")).toMatchObject({ mode: "600" });
    expect(files.get("credential.key")?.text.trim()).toBe(proposedKey.reveal());
  });

  test("an inventory is read back as it was written, with what was confirmed", async () => {
    const { inventory, current } = await use().target(use().spec());
    await use().doTwice({ kind: "record-inventory", inventory });
    expect(await use().inventory()).toEqual(inventory);
    const confirmed: Current = { ...current, revision: "f".repeat(40) };
    await use().do({ kind: "record-inventory", inventory: { ...inventory, confirmed } });
    expect(await use().inventory()).toEqual({ ...inventory, confirmed });
    await use().do({ kind: "record-inventory", inventory: { items: [] } });
    expect(await use().inventory()).toEqual({ items: [] });
    expect((await use().look()).files.get("applied.json")).toMatchObject({ mode: "600" });
  });

  releaseCases(use);
  credentialCases(use);

  test("a sweep removes the leftovers it is told, and nothing beside them", async () => {
    const { meddle } = use().bench;
    await meddle.writeFile("releases/.tmp-one", "");
    await meddle.writeFile(".tmp-two", "");
    const { temporary, facts } = await use().observe();
    const [one, two] = [`${facts.projectDir}/releases/.tmp-one`, `${facts.projectDir}/.tmp-two`];
    expect([...temporary].sort()).toEqual([two, one].sort());
    await use().doTwice({ kind: "sweep", paths: [one] });
    expect((await use().observe()).temporary).toEqual([two]);
    await use().do({ kind: "sweep", paths: [two] });
    expect((await use().observe()).temporary).toEqual([]);
    await expectRelease(use());
  });

  test("an operator's marker is seen with who and since when, and no longer when it is gone", async () => {
    const { meddle } = use().bench;
    const hold = { by: "ann@laptop", since: 1769893445000 };
    expect(await use().observe()).not.toHaveProperty("stopped");
    await meddle.writeFile("stopped.json", JSON.stringify(hold));
    expect((await use().observe()).stopped).toEqual(hold);
    await meddle.writeFile("stopped.json", "");
    expect((await use().observe()).stopped).toEqual({ since: 0 });
    await meddle.removeFile("stopped.json");
    expect(await use().observe()).not.toHaveProperty("stopped");
  });

  test("a step that was aborted before does nothing", async () => {
    const before = await use().look();
    const signal = AbortSignal.abort(new Error("too late"));
    const context = use().context(use().spec("two"), await use().observe(), signal);
    const writing = use().session.carryOut(releaseStep(use().spec("two")), context);
    await expect(writing).rejects.toThrow("too late");
    expect((await use().look()).files).toEqual(before.files);
  });
}

function releaseCases(use: () => HostRig): void {
  test("a release is on the host under the hash of its bytes, and nothing else is", async () => {
    await use().doTwice(releaseStep(use().spec()));
    await expectRelease(use());
  });

  const alterations: [string, (rig: HostRig, directory: string) => Promise<void>][] = [
    ["a changed file", ({ bench }, at) => bench.meddle.writeFile(`${at}/project.json`, "altered")],
    ["a file too many", ({ bench }, at) => bench.meddle.writeFile(`${at}/agents/x.md`, "extra")],
    ["a file too few", ({ bench }, at) => bench.meddle.removeFile(`${at}/project.json`)],
  ];
  test.each(alterations)(
    "a release with %s is seen to be altered, and healed",
    async (_, alter) => {
      const { release } = use().spec();
      await alter(use(), `releases/${release.hash}`);
      const [altered] = (await use().observe()).releases;
      expect(altered?.name).toBe(release.hash);
      expect(treeHash(altered?.files ?? [])).not.toBe(release.hash);
      await use().do(releaseStep(use().spec()));
      await expectRelease(use());
    },
  );
}

function credentialCases(use: () => HostRig): void {
  test("a credential set has the values, readable for nobody else, and their versions", async () => {
    const { credentials } = await use().target(use().spec());
    await use().doTwice({ kind: "write-credentials", ...credentials });
    await expectCredentials(use());
  });

  test("an altered credential is seen and healed; its value is in no observation", async () => {
    const { credentials } = await use().target(use().spec());
    await use().bench.meddle.writeFile(`credentials/${credentials.hash}/${TOKEN}`, "altered");
    const [altered] = (await use().observe()).credentialSets;
    expect(treeHash(altered?.files ?? [])).not.toBe(credentials.hash);
    await use().do({ kind: "write-credentials", ...credentials });
    await expectCredentials(use());
    expect(JSON.stringify(await use().observe())).not.toContain("tell-nobody");
  });

  test("a rotated credential is another set; the old one stays until it is removed", async () => {
    const { values } = use().bench;
    const old = (await use().target(use().spec())).credentials.hash;
    const value = values.get(TOKEN) ?? new Secret("");
    values.set(TOKEN, new Secret("tell-nobody-rotated"));
    const { credentials } = await use().target(use().spec());
    await use().do({ kind: "write-credentials", ...credentials });
    const names = (await use().observe()).credentialSets.map(({ name }) => name);
    expect(names.sort()).toEqual([old, credentials.hash].sort());
    values.set(TOKEN, value);
  });

  test("a credential that has left the store is an error that names it, and no value", async () => {
    const { values } = use().bench;
    const { credentials } = await use().target(use().spec());
    const value = values.get(TOKEN) ?? new Secret("");
    values.delete(TOKEN);
    const writing = use().do({ kind: "write-credentials", ...credentials });
    await expect(writing).rejects.toMatchObject({
      code: "credential-missing",
      message: expect.stringContaining(TOKEN),
    });
    values.set(TOKEN, value);
  });
}

async function expectRelease(rig: HostRig): Promise<void> {
  const { release } = rig.spec();
  const [found, ...others] = (await rig.observe()).releases;
  expect(others).toEqual([]);
  expect(found).toMatchObject({ name: release.hash, oddities: [] });
  expect(treeHash(found?.files ?? [])).toBe(release.hash);
  const { files } = await rig.look();
  const below = [...files].filter(([path]) => path.startsWith(`releases/${release.hash}/`));
  expect(new Map(below.map(([path, { text }]) => [path, text]))).toEqual(
    new Map(
      release.files.map(({ path, content }) => [
        `releases/${release.hash}/${path}`,
        Buffer.from(content).toString("utf8"),
      ]),
    ),
  );
}

async function expectCredentials(rig: HostRig): Promise<void> {
  const observed = await rig.observe();
  const files = rig.versions(observed);
  const hash = treeHash(files);
  const found = observed.credentialSets.find(({ name }) => name === hash);
  expect(found).toEqual({ name: hash, files, oddities: [] });
  expect((await rig.look()).files.get(`credentials/${hash}/${TOKEN}`)).toEqual({
    text: rig.bench.values.get(TOKEN)?.reveal(),
    mode: "600",
  });
}
