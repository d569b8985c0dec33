import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson } from "../base/canonical-json.ts";
import { errnoOf } from "../base/errors.ts";
import { parseStopped, type Stopped } from "../core/stopped.ts";
import { writeFileAtomic } from "../transport/files.ts";
import type { Transport } from "../transport/transport.ts";

/** Whether an operator stopped the project on this host, read afresh. @throws what reading the file throws. */
export async function readStopped(projectDir: string): Promise<Stopped | undefined> {
  try {
    return parseStopped(await readFile(stoppedFile(projectDir), "utf8"));
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

/** Writes that an operator stopped the project; the first word stays. Durable when resolved. */
export async function writeStopped(
  transport: Transport,
  projectDir: string,
  stopped: Stopped,
): Promise<void> {
  if (await readStopped(projectDir)) return;
  const bytes = Buffer.from(`${canonicalJson({ ...stopped })}\n`);
  await writeFileAtomic(transport, stoppedFile(projectDir), bytes);
}

function stoppedFile(projectDir: string): string {
  return join(projectDir, "stopped.json");
}
