import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AlError, errnoOf } from "../base/errors.ts";
import { FleetLockFile, type LockedHost } from "../config/fleet-file.ts";
import { lockText } from "../config/lock-text.ts";
import { parseLayer } from "../config/toml-layers.ts";
import { replaceFile } from "./replace-file.ts";

const LOCK_FILE = "fleet.lock.toml";

/**
 * Replaces what fleet.lock.toml of a checkout says of one host, or takes the host out. Who has an
 * address has it alone: other hosts that had it before are taken out too. The file is replaced whole:
 * whatever cuts this off, it is the old or the new one.
 * @returns the names of those other hosts.
 * @throws AlError `invalid-lock` (user) when what is there cannot be read.
 */
export async function writeLockedHost(
  project: string,
  host: string,
  facts: LockedHost | undefined,
): Promise<readonly string[]> {
  const path = join(project, LOCK_FILE);
  const before = await readText(path);
  const others = Object.entries(hostsOf(path, before)).filter(([name]) => name !== host);
  const isTaken = ([, { address }]: (typeof others)[number]) => address === facts?.address;
  const kept = others.filter((one) => !isTaken(one));
  const after = lockText(Object.fromEntries(facts ? [...kept, [host, facts]] : kept));
  if (after === before || (before === "" && !facts)) return [];
  await replaceFile(path, after);
  return others.filter(isTaken).map(([name]) => name);
}

/**
 * Replaces a host's key in fleet.lock.toml of a checkout; false where that does not have the host.
 * @throws AlError `invalid-lock` (user) when what is there cannot be read.
 */
export async function writeLockedKey(
  project: string,
  host: string,
  hostKey: string,
): Promise<boolean> {
  const path = join(project, LOCK_FILE);
  const { [host]: facts } = hostsOf(path, await readText(path));
  if (!facts) return false;
  await writeLockedHost(project, host, { ...facts, hostKey });
  return true;
}

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((thrown) => {
    if (errnoOf(thrown) === "ENOENT") return "";
    throw thrown;
  });
}

function hostsOf(path: string, text: string): FleetLockFile["hosts"] {
  const parsed = parseLayer({ file: LOCK_FILE, bytes: Buffer.from(text) });
  const read = FleetLockFile.safeParse("layer" in parsed ? parsed.layer.document : undefined);
  if (read.success) return read.data.hosts;
  throw new AlError(`${path} cannot be read, and is not overwritten`, {
    code: "invalid-lock",
    blame: "user",
    hint: "See what is wrong with it: al plan. Or take it back: git checkout fleet.lock.toml",
  });
}
