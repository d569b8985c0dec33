import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { SourceTree } from "../../../src/config/ports.ts";

/** A source tree from texts or bytes by path. */
export function memoryTree(files: Readonly<Record<string, string | Uint8Array>>): SourceTree {
  const contents = new Map(
    Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]),
  );
  const entries = [...contents].map(([path, content]) => {
    return { path, size: content.length, executable: path.endsWith(".sh") };
  });
  return {
    revision: "0".repeat(40),
    entries: entries.sort((a, b) => (a.path < b.path ? -1 : 1)),
    read: async (path) => contents.get(path) as Buffer,
  };
}

/** A source tree of a directory as it is on disk. */
export function directoryTree(directory: string): SourceTree {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const paths = names.filter((name) => statSync(join(directory, name)).isFile());
  const files = paths.map((path) => [path, readFileSync(join(directory, path))] as const);
  const tree = memoryTree(Object.fromEntries(files));
  const entries = tree.entries.map((entry) => {
    const executable = (statSync(join(directory, entry.path)).mode & 0o100) !== 0;
    return { ...entry, executable };
  });
  return { ...tree, entries };
}

/** The least that is a project: one scheduled agent, no fleet. */
export const SMALL_PROJECT: Readonly<Record<string, string>> = {
  "config.toml": '[model]\nprovider = "anthropic"\nmodel = "claude-sonnet-4-5"\n',
  "dev/agent-config.toml": 'schedule = "0 * * * *"\n',
  "dev/ACTIONS.md": "Look around.\n",
};
