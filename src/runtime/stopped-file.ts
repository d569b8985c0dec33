import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import { parseStopped, type Stopped } from "../core/stopped.ts";
import { writeStopped } from "../host/stopped.ts";
import type { Transport } from "../transport/transport.ts";

/** Whether an operator stopped the project on this host, read afresh. @throws what reading the file throws. */
export async function readStopped(projectDir: string): Promise<Stopped | undefined> {
  try {
    return parseStopped(await readFile(join(projectDir, "stopped.json"), "utf8"));
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    // Another user's counts too, although only those who look from outside may read it.
    if (errnoOf(thrown) === "EACCES") return parseStopped("");
    throw thrown;
  }
}

/** Notes that an operator stopped the project; the first word stays. Durable when resolved. */
export async function noteStopped(
  transport: Transport,
  projectDir: string,
  stopped: Stopped,
): Promise<void> {
  if (await readStopped(projectDir)) return;
  await writeStopped(transport, projectDir, stopped);
}
