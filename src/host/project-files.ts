import { canonicalJson } from "../base/canonical-json.ts";
import { AlError } from "../base/errors.ts";
import { CERTIFICATES_DIRECTORY, DOOR_DIRECTORY, INGRESS_DIRECTORY } from "../core/names.ts";
import type { Current, Inventory } from "../core/observed.ts";
import type { CredentialFile } from "../core/resolve-credentials.ts";
import { carryTree } from "../transport/carry-tree.ts";
import { readFile, removePaths, writeFileAtomic, writeTree } from "../transport/files.ts";
import type { StepInput } from "./carry-out.ts";
import { parseInventory } from "./parse-observation.ts";

const PREPARE_SCRIPT = `umask 077
project=$1; shift
for name; do mkdir -p "$project/$name"; done`;

/** Makes the project's directories and, if there is none, the key of its credential versions. */
export async function prepareProject(input: StepInput): Promise<void> {
  const { projectDir } = input.observed.facts;
  const { signal } = input;
  await makeDirectories(input, ["releases", "credentials", "logs"]);
  if (input.observed.credentialKey !== undefined) return;
  await writeFileAtomic(input.transport, `${projectDir}/credential.key`, input.proposedKey, {
    mode: 0o600,
    signal,
  });
}

/** Makes the directory that the door's container sees: Docker mounts only what is there. */
export function prepareDoorDirectory(input: StepInput): Promise<void> {
  return makeDirectories(input, [DOOR_DIRECTORY]);
}

/** The same for the ingress, and for the certificates of its name, which stay whatever becomes of it. */
export function prepareIngressDirectories(input: StepInput, publicName: string): Promise<void> {
  return makeDirectories(input, [INGRESS_DIRECTORY, `${CERTIFICATES_DIRECTORY}/${publicName}`]);
}

async function makeDirectories(input: StepInput, names: readonly string[]): Promise<void> {
  const { projectDir } = input.observed.facts;
  const argv = ["sh", "-c", PREPARE_SCRIPT, "prepare", projectDir, ...names];
  const { code, stderr } = await input.transport.exec(argv, {
    signal: input.signal,
    timeoutMs: 30_000,
  });
  if (code !== 0) throw notWritable(input, stderr.toString("utf8"));
}

/** Replaces `applied.json`: before something is made, and after something was deleted. */
export async function writeInventory(input: StepInput, inventory: Inventory): Promise<void> {
  const items = inventory.items.map(({ kind, id }) => ({ kind, id }));
  const { confirmed } = inventory;
  const json = confirmed && { ...confirmed, network: { ...confirmed.network } };
  await writeJson(input, "applied.json", { items, confirmed: json });
}

/** Reads `applied.json` as it is now; earlier steps of the same pass may have changed it. */
export async function readInventory(input: StepInput): Promise<Inventory> {
  const { projectDir } = input.observed.facts;
  const options = { signal: input.signal };
  const bytes = await readFile(input.transport, `${projectDir}/applied.json`, options);
  return parseInventory(input.transport.host, projectDir, bytes?.toString("utf8"));
}

/** Replaces `current.json`: from here on this is what is live. */
export async function writeCurrent(input: StepInput, current: Current): Promise<void> {
  await writeJson(input, "current.json", { ...current, network: { ...current.network } });
}

/** Removes `current.json`: nothing is live. */
export async function removeCurrent(input: StepInput): Promise<void> {
  const { projectDir: root } = input.observed.facts;
  const options = { root, signal: input.signal };
  await removePaths(input.transport, [`${root}/current.json`], options);
}

/** Puts a release in place under the name of its content, healing one that was altered. */
export async function writeRelease(input: StepInput, hash: string): Promise<void> {
  const entries = input.spec.release.files.map(({ path, content }) => ({
    path,
    content,
    mode: 0o600,
  }));
  const directory = `${input.observed.facts.projectDir}/releases/${hash}`;
  await writeTree(input.transport, directory, entries, { signal: input.signal });
}

/**
 * Puts a credential set in place: held values travel on standard input only, the others are copied on
 * the host from the sets they lie in, and never read back.
 */
export async function writeCredentials(
  input: StepInput,
  set: { readonly hash: string; readonly files: readonly CredentialFile[] },
): Promise<void> {
  const root = `${input.observed.facts.projectDir}/credentials`;
  const options = { signal: input.signal };
  const entries = await Promise.all(
    set.files.filter(({ carriedFrom }) => !carriedFrom).map(({ path }) => heldEntry(input, path)),
  );
  const carried = set.files.flatMap(({ path, carriedFrom }) =>
    carriedFrom ? [{ path, from: carriedFrom }] : [],
  );
  const directory = `${root}/${set.hash}`;
  if (carried.length === 0) await writeTree(input.transport, directory, entries, options);
  else await carryTree(input.transport, { directory, entries, carried }, options);
}

async function heldEntry(input: StepInput, path: string) {
  const content = await input.materials.credential(path);
  if (!content) throw vanished(path);
  return { path, content, mode: 0o600 };
}

async function writeJson(
  input: StepInput,
  name: string,
  value: Parameters<typeof canonicalJson>[0],
): Promise<void> {
  const path = `${input.observed.facts.projectDir}/${name}`;
  const bytes = Buffer.from(`${canonicalJson(value)}\n`);
  await writeFileAtomic(input.transport, path, bytes, { mode: 0o600, signal: input.signal });
}

function vanished(path: string): AlError {
  return new AlError(`credential ${path} disappeared from the store while it was being delivered`, {
    code: "credential-missing",
    blame: "user",
    hint: "Add it again and apply again.",
  });
}

function notWritable(input: StepInput, detail: string): AlError {
  const { transport, observed } = input;
  const what = `host ${transport.host}: ${observed.facts.projectDir} cannot be made`;
  const full = detail.includes("No space left on device");
  return new AlError(`${what}: ${detail.trim()}`, {
    code: full ? "disk-full" : "not-writable",
    blame: "user",
    hint: full
      ? "Free some space on the host and apply again."
      : "The SSH user must own its home directory.",
  });
}
