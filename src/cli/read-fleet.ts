import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { AlError, errnoOf } from "../base/errors.ts";
import { ConfigFile } from "../config/config-file.ts";
import { FleetFile, FleetLockFile } from "../config/fleet-file.ts";
import { fleetHosts, knownHosts } from "../config/fleet-hosts.ts";
import { loadIngress } from "../config/ingress.ts";
import type { SourceTree } from "../config/ports.ts";
import { formatProblems } from "../config/problems.ts";
import { readTomlFile } from "../config/toml-file.ts";
import { parseLayer } from "../config/toml-layers.ts";
import { hasFile } from "../config/tree-paths.ts";
import type { HostInput, IngressInput } from "../core/project-input.ts";
import { openRepository } from "../git/open-repository.ts";
import type { CliContext } from "./context.ts";

/** The file with the hosts of a fleet. */
export const FLEET_FILE = "fleet.toml";
const CONFIG_FILE = "config.toml";
const FILES = [FLEET_FILE, "fleet.lock.toml", CONFIG_FILE];

/** The hosts of a project, whatever the state of its agents. */
export interface Fleet {
  readonly file: FleetFile;
  /** Sorted by name. */
  readonly hosts: readonly HostInput[];
  /** Public facts by host. */
  readonly locked: FleetLockFile["hosts"];
  /** What `[gateway]` says is public; `unclear` where it is not valid. */
  readonly ingress: IngressInput | "unclear" | undefined;
}

/**
 * Reads the hosts from the files as they lie there, committed or not, so that a host can be looked at
 * before it is committed; in a bare repository from its newest commit.
 * @throws AlError `no-fleet`, `invalid-project`.
 */
export async function readFleet(
  context: Pick<CliContext, "project" | "gitVariables" | "signal">,
): Promise<Fleet> {
  const files = await filesIn(context.project);
  if (files.size > 0) return parseFleet(treeOf(files));
  const options = { variables: context.gitVariables, signal: context.signal };
  const repository = await openRepository(context.project, options);
  try {
    return await parseFleet(await repository.tree(await repository.resolve()));
  } finally {
    await repository.close();
  }
}

/** The text of fleet.toml in a directory; undefined where there is none. */
export async function readFleetText(directory: string): Promise<string | undefined> {
  return (await filesIn(directory)).get(FLEET_FILE)?.toString("utf8");
}

/** What the fleet would be with this text as fleet.toml. @throws AlError `invalid-project`. */
export async function fleetWith(directory: string, text: string): Promise<Fleet> {
  const files = await filesIn(directory);
  return parseFleet(treeOf(new Map([...files, [FLEET_FILE, Buffer.from(text)]])));
}

/**
 * A host's table in this text of fleet.toml as it stands there, complete or not; undefined without one.
 * @throws AlError `invalid-project` where the text is not TOML.
 */
export function hostTableIn(text: string, name: string): HostTable | undefined {
  const parsed = parseLayer({ file: FLEET_FILE, bytes: Buffer.from(text) });
  if ("problem" in parsed) throw invalid(formatProblems([parsed.problem]));
  const { hosts } = parsed.layer.document as { hosts?: Readonly<Record<string, HostTable>> };
  return hosts !== undefined && Object.hasOwn(hosts, name) ? hosts[name] : undefined;
}

/** Nothing of it has been checked. */
export interface HostTable {
  readonly provider?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
}

/** One host of a fleet. @throws AlError `unknown-host` (user). */
export function hostOf({ hosts }: Fleet, name: string): HostInput {
  const found = hosts.find(({ host }) => host === name);
  if (found) return found;
  const names = hosts.map(({ host }) => host).join(", ");
  throw new AlError(`fleet.toml has no host ${name}`, {
    code: "unknown-host",
    blame: "user",
    hint: names === "" ? "It has no hosts yet." : `Its hosts are: ${names}`,
  });
}

/** @throws AlError `host-unprovisioned` (user) for a host that has no machine yet. */
export function checkAddress({ host, address }: HostInput): void {
  if (address !== "") return;
  throw new AlError(`host ${host} has no address yet`, {
    code: "host-unprovisioned",
    blame: "user",
    hint: `Make its machine: al provision ${host}`,
  });
}

/** @throws AlError `host-local` (user) for the machine `al` runs on. */
export function checkRemote({ host, provider }: HostInput, hint: string): void {
  if (provider !== "local") return;
  throw new AlError(`host ${host} is this machine`, { code: "host-local", blame: "user", hint });
}

async function parseFleet(tree: SourceTree): Promise<Fleet> {
  if (!hasFile(tree, FLEET_FILE)) throw noFleet();
  const [fleet, lock, config] = await Promise.all([
    readTomlFile(tree, FLEET_FILE, FleetFile),
    readTomlFile(tree, "fleet.lock.toml", FleetLockFile),
    readTomlFile(tree, CONFIG_FILE, ConfigFile),
  ]);
  const { hosts, problems } = fleetHosts(fleet, lock);
  const all = [...fleet.problems, ...lock.problems, ...problems];
  if (all.length > 0 || !fleet.value) throw invalid(formatProblems(all));
  const ingress = loadIngress(config, knownHosts(fleet, hosts));
  const isUnclear = !config.isSound("gateway") || ingress.problems.length > 0;
  return {
    ...{ file: fleet.value, hosts, locked: lock.value?.hosts ?? {} },
    ingress: isUnclear ? "unclear" : ingress.value,
  };
}

/** A link is no file of a project: a commit with it would be refused. */
async function filesIn(directory: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const name of FILES) {
    const path = join(directory, name);
    try {
      if ((await lstat(path)).isFile()) found.set(name, await readFile(path));
    } catch (thrown) {
      if (errnoOf(thrown) !== "ENOENT" && errnoOf(thrown) !== "ENOTDIR") throw thrown;
    }
  }
  return found;
}

function treeOf(files: ReadonlyMap<string, Buffer>): SourceTree {
  return {
    revision: "files",
    entries: [...files].map(([path, bytes]) => ({ path, size: bytes.length, executable: false })),
    read: async (path) => files.get(path) ?? new Uint8Array(),
  };
}

function noFleet(): AlError {
  return new AlError("there is no fleet.toml: the only host is this machine", {
    code: "no-fleet",
    blame: "user",
    hint: "Make one with its first host: al provision, or of a machine that you have: al provision NAME --ssh USER@ADDRESS",
  });
}

function invalid(report: string): AlError {
  return new AlError(`the fleet is not valid:\n${report}`, {
    code: "invalid-project",
    blame: "user",
    hint: "Mend these, and try again.",
  });
}
