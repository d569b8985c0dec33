import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AlError, errnoOf } from "../base/errors.ts";
import type { Current } from "../core/observed.ts";
import { CurrentFile } from "../core/released.ts";

/**
 * What is live on this host, read afresh; undefined when nothing is.
 * @throws AlError `current-unreadable` (transient): it is replaced as a whole, so the next one counts.
 */
export async function readCurrent(projectDir: string): Promise<Current | undefined> {
  const path = join(projectDir, "current.json");
  try {
    return CurrentFile.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return undefined;
    throw new AlError(`${path} cannot be read: ${(cause as Error).message}`, {
      code: "current-unreadable",
      blame: "transient",
      cause,
    });
  }
}

/**
 * Reads {@link readCurrent} again only when the file was replaced, which a look at it tells: this is
 * asked at every request, and is never older than the question.
 */
export function currentReader(projectDir: string): () => Promise<Current | undefined> {
  const path = join(projectDir, "current.json");
  let last: { readonly version: string; readonly current: Current | undefined } | undefined;
  return async () => {
    const version = versionOf(path);
    if (version === undefined) return undefined;
    if (last?.version === version) return last.current;
    // What is read is this version or a newer one: then the next look finds that newer one.
    const current = await readCurrent(projectDir);
    last = { version, current };
    return current;
  };
}

/** Another one for each replacement: the old and the new file are there together for a moment. */
function versionOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && `${found.ino} ${found.ctimeNs} ${found.size}`;
}
