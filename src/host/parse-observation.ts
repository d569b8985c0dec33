import { z } from "zod";
import { AlError } from "../base/errors.ts";
import type { Architecture } from "../core/desired.ts";
import { compareText, type FileHash } from "../core/fingerprint.ts";
import { type Current, type Inventory, ITEM_KINDS, type ObservedTree } from "../core/observed.ts";
import { CurrentFile } from "../core/released.ts";
import { parseStopped, type Stopped } from "../core/stopped.ts";

/** What the observation script found, before Docker's part is added. */
export interface FileObservation {
  readonly projectDir: string;
  readonly uid: number;
  readonly gid: number;
  readonly dockerGid: number;
  readonly architecture: Architecture;
  readonly dockerFreeBytes: number;
  readonly projectFreeBytes: number;
  readonly credentialKey: string | undefined;
  readonly current: Current | undefined;
  readonly inventory: Inventory;
  readonly stopped: Stopped | undefined;
  readonly releases: readonly ObservedTree[];
  readonly credentialSets: readonly ObservedTree[];
  readonly temporary: readonly string[];
  /** Sorted relative paths of the directory's entries, and of those of its trees. */
  readonly entries: readonly string[];
}

const InventoryFile = z.strictObject({
  items: z.array(
    z.strictObject({
      kind: z.enum(ITEM_KINDS),
      id: z.string(),
    }),
  ),
  confirmed: CurrentFile.optional(),
});

/**
 * Reads the script's lines. A damaged `current.json` counts as absent, so the pass writes it anew;
 * a damaged inventory is an error, since deleting by guess is not an option.
 */
export function parseObservation(host: string, output: string): FileObservation {
  const lines = output.split("\n").filter((line) => line !== "");
  if (lines.at(-1) !== "end") {
    throw new AlError(`host ${host}: the observation was cut off`, {
      code: "observation-incomplete",
      blame: "transient",
    });
  }
  const values = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const value = (word: string) => values(word)[0];
  const projectDir = value("dir") ?? "";
  const free = availableBlocks(lines);
  const hashes = hashedFiles(lines);
  return {
    projectDir,
    uid: Number(value("uid")),
    gid: Number(value("gid")),
    dockerGid: Number(value("docker-gid") || Number.NaN),
    architecture: parseMachine(host, value("machine")),
    dockerFreeBytes: (free[0] ?? 0) * 1024,
    projectFreeBytes: (free[1] ?? 0) * 1024,
    credentialKey: parseKey(value("key")),
    current: parseCurrent(decode(value("current"))),
    inventory: parseInventory(host, projectDir, decode(value("inventory"))),
    stopped: parseStopped(decode(value("stopped"))),
    releases: parseTrees("releases", values, hashes),
    credentialSets: parseTrees("credentials", values, hashes),
    temporary: values("temporary").map((path) => `${projectDir}/${path.replace(/^\.\//, "")}`),
    entries: values("entry")
      .map((path) => path.replace(/^\.\//, ""))
      .sort(compareText),
  };
}

/** A damaged key counts as absent: a pass then writes a new one, and the credentials under it. */
function parseKey(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? text : undefined;
}

function parseMachine(host: string, machine: string | undefined): Architecture {
  if (machine === "x86_64") return "amd64";
  if (machine === "aarch64") return "arm64";
  throw new AlError(`host ${host} is a ${machine} machine; agents need amd64 or arm64`, {
    code: "unsupported-architecture",
    blame: "user",
    hint: "Remove the host from fleet.toml.",
  });
}

function parseCurrent(text: string | undefined): Current | undefined {
  const parsed = CurrentFile.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

/** Reads the text of `applied.json`; absent means empty. @throws AlError `inventory-damaged`. */
export function parseInventory(host: string, dir: string, text: string | undefined): Inventory {
  if (text === undefined) return { items: [] };
  const parsed = InventoryFile.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new AlError(`host ${host}: ${dir}/applied.json is damaged, so what we own is unknown`, {
    code: "inventory-damaged",
    blame: "user",
    hint: "Restore the file, or remove it to have everything wanted listed again; what it alone named is then yours to delete.",
  });
}

function decode(base64: string | undefined): string | undefined {
  if (base64 === undefined || base64 === "-") return undefined;
  return Buffer.from(base64, "base64").toString("utf8");
}

function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What `df -Pk` says is available, in its order. */
function availableBlocks(lines: readonly string[]): readonly number[] {
  return lines.flatMap((line) => {
    const available = /\s\d+\s+\d+\s+(\d+)\s+\d+%\s/.exec(line)?.[1];
    return available === undefined ? [] : [Number(available)];
  });
}

/** Paths and hashes as `sha256sum` prints them; those of credentials follow their path. */
function hashedFiles(lines: readonly string[]): readonly FileHash[] {
  return lines.flatMap((line, index) => {
    const [, hash = "", path = ""] = /^\\?([0-9a-f]{64}) [ *](.*)$/.exec(line) ?? [];
    if (hash === "") return [];
    if (path !== "-") return path.startsWith("releases/") ? [{ path, hash }] : [];
    const before = lines[index - 1] ?? "";
    return before.startsWith("keyed ") ? [{ path: before.slice("keyed ".length), hash }] : [];
  });
}

function parseTrees(
  root: string,
  values: (word: string) => string[],
  hashes: readonly FileHash[],
): ObservedTree[] {
  const trees = new Map<string, { files: FileHash[]; oddities: string[] }>();
  const treeOf = (path: string) => {
    const name = path.slice(root.length + 1).split("/", 1)[0] ?? "";
    const found = trees.get(name) ?? { files: [], oddities: [] };
    trees.set(name, found);
    return { tree: found, inner: path.slice(root.length + name.length + 2) };
  };
  const inRoot = (path: string) => path.startsWith(`${root}/`);
  const directories = values("tree").map((path) => path.replace(/^\.\//, ""));
  for (const path of directories.filter(inRoot)) treeOf(path);
  for (const { path, hash } of hashes.filter((one) => inRoot(one.path))) {
    const { tree, inner } = treeOf(path);
    tree.files.push({ path: inner, hash });
  }
  for (const text of values("oddity").filter(inRoot)) {
    treeOf(text).tree.oddities.push(text.slice(root.length + 66));
  }
  return [...trees].map(([name, tree]) => ({ name, ...tree }));
}
