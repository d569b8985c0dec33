import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";
import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import type { Transport } from "../transport/transport.ts";

const SCRIPT = `cd "$1" 2>/dev/null || exit 0; exec tar -cf - .`;
const MAX_BYTES = 256 * 1024 * 1024;

/** The regular files of a directory on a host, by relative path; empty when there is none. */
export async function readTree(
  transport: Transport,
  directory: string,
  options: CallOptions = {},
): Promise<ReadonlyMap<string, Buffer>> {
  const argv = ["sh", "-c", SCRIPT, "read", directory];
  const limits = { timeoutMs: 60_000, ...options, maxOutputBytes: MAX_BYTES };
  const { code, stdout, stderr } = await transport.exec(argv, limits);
  if (code !== 0) {
    const detail = stderr.toString("utf8").trim().slice(0, 300);
    throw new AlError(`host ${transport.host}: ${directory} cannot be read: ${detail}`, {
      code: "file-access",
      blame: "user",
    });
  }
  const files = new Map<string, Buffer>();
  if (stdout.byteLength === 0) return files;
  const archive = extract();
  archive.end(stdout);
  for await (const entry of archive) {
    const { name, type } = entry.header;
    const content = await buffer(entry);
    if (type === "file") files.set(name.replace(/^\.\//, ""), content);
  }
  return files;
}
