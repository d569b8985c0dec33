import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { AlError, errnoOf } from "../base/errors.ts";
import { parseCredentialRef } from "../core/credential-types.ts";

/** A file for a run, below one of its volumes. */
export interface RunFile {
  /** Relative, `/`-separated. */
  readonly path: string;
  readonly content: Buffer;
}

/**
 * The fields of the credentials an agent lists, from one credential set: `type/instance/field`.
 * @throws AlError `credential-missing` (terminal) when a listed one is not there.
 */
export async function credentialFiles(
  setDirectory: string,
  references: readonly string[],
): Promise<RunFile[]> {
  const files: RunFile[] = [];
  for (const { type, instance } of references.map(parseCredentialRef)) {
    const directory = join(setDirectory, type, instance);
    for (const field of await fieldNames(directory, `${type}:${instance}`)) {
      const content = await readFile(join(directory, field));
      files.push({ path: `${type}/${instance}/${field}`, content });
    }
  }
  return files;
}

/**
 * A tar archive of files that only uid 1000 can read, with their directories and the root itself.
 * It holds secrets: it goes nowhere but into a run's volume.
 */
export function runArchive(files: readonly RunFile[]): Readable {
  const archive = pack();
  const common = { uid: 1000, gid: 1000, mtime: new Date(0) };
  for (const name of ["./", ...directoriesOf(files)]) {
    archive.entry({ ...common, name, type: "directory", mode: 0o500 });
  }
  for (const { path, content } of files) {
    archive.entry({ ...common, name: path, mode: 0o400 }, content);
  }
  archive.finalize();
  return Readable.from(archive);
}

async function fieldNames(directory: string, reference: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (cause) {
    if (errnoOf(cause) !== "ENOENT") throw cause;
    throw new AlError(`credential ${reference} is not on this host`, {
      code: "credential-missing",
      blame: "terminal",
      hint: "Apply again: al apply",
      cause,
    });
  }
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

function directoriesOf(files: readonly RunFile[]): string[] {
  const directories = new Set<string>();
  for (const { path } of files) {
    const parts = path.split("/").slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      directories.add(`${parts.slice(0, depth).join("/")}/`);
    }
  }
  return [...directories].sort();
}
