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
