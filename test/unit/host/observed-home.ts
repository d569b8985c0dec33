import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import { sha256, treeHash } from "../../../src/core/fingerprint.ts";
import { OBSERVE_SCRIPT } from "../../../src/host/observe-script.ts";
import { type FileObservation, parseObservation } from "../../../src/host/parse-observation.ts";
import { writeFileAtomic, writeTree } from "../../../src/transport/files.ts";
import { openLocal } from "../../../src/transport/local.ts";
import type { Transport } from "../../../src/transport/transport.ts";

/** The key of the versions that {@link deploySet} writes. */
export const KEY = sha256("a key");
const FILES = [
  { path: "agents/dev/ACTIONS.md", mode: 0o600, content: Buffer.from("Fix issues.\n") },
  { path: "project.json", mode: 0o600, content: Buffer.from("{}\n") },
];
/** The name of the release that is deployed here. */
export const HASH = treeHash(FILES.map(({ path, content }) => ({ path, hash: sha256(content) })));

/** A home directory of its own for every test. */
export let home: string;
/** The directory of the project acme in it. */
export let dir: string;
/** The machine itself, with that home. */
export let transport: Transport;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "al-observe-"));
  dir = join(home, ".action-llama/projects/acme");
  transport = openLocal({ host: "web-1", env: { HOME: home } });
});

afterEach(async () => {
  await transport.close();
  rmSync(home, { recursive: true, force: true });
});

/** What the script prints; it runs for real. */
export async function run(project = "acme"): Promise<string> {
  const argv = ["sh", "-c", OBSERVE_SCRIPT, "observe", project, "/var/run/docker.sock"];
  const { code, stdout } = await transport.exec(argv);
  expect(code).toBe(0);
  return stdout.toString("utf8");
}

/** What it found, parsed. */
export const observe = async (): Promise<FileObservation> => parseObservation("web-1", await run());

/** Writes a release as a pass does and gives its path. */
export async function deployRelease(): Promise<string> {
  await writeTree(transport, `${dir}/releases/${HASH}`, FILES);
  return `${dir}/releases/${HASH}`;
}

/** Writes a key and a credential set as a pass does and gives the set's path. */
export async function deploySet(
  values: Readonly<Record<string, string | Buffer>>,
): Promise<string> {
  await writeFileAtomic(transport, `${dir}/credential.key`, new Secret(KEY));
  const entries = Object.entries(values).map(([path, value]) => {
    return { path, mode: 0o600, content: new Secret(value) };
  });
  await writeTree(transport, `${dir}/credentials/${"c".repeat(64)}`, entries);
  return `${dir}/credentials/${"c".repeat(64)}`;
}

/** The one release, and what its bytes hash to. */
export async function observedRelease() {
  const { releases } = await observe();
  expect(releases.map(({ name }) => name)).toEqual([HASH]);
  const [release] = releases;
  return { hash: treeHash(release?.files ?? []), oddities: release?.oddities ?? [] };
}
