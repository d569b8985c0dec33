import { canonicalJson } from "../base/canonical-json.ts";
import type { CallOptions } from "../base/deadline.ts";
import type { Stopped } from "../core/stopped.ts";
import { removePaths, writeFileAtomic } from "../transport/files.ts";
import type { Transport } from "../transport/transport.ts";

/** Notes that an operator stopped a project on a host: from then on none of its runtimes takes a trigger. */
export async function writeStopped(
  transport: Transport,
  projectDir: string,
  stopped: Stopped,
  options: CallOptions = {},
): Promise<void> {
  const bytes = Buffer.from(`${canonicalJson({ ...stopped })}\n`);
  await writeFileAtomic(transport, fileIn(projectDir), bytes, options);
}

/** Takes that back; it starts nothing by itself. Idempotent. */
export async function removeStopped(
  transport: Transport,
  projectDir: string,
  options: CallOptions = {},
): Promise<void> {
  await removePaths(transport, [fileIn(projectDir)], { ...options, root: projectDir });
}

function fileIn(projectDir: string): string {
  return `${projectDir}/stopped.json`;
}
