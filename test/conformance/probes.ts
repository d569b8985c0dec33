import { createHash, randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { expect } from "vitest";
import type { Transport } from "../../src/transport/transport.ts";

/** One mebibyte. */
export const MIB = 1024 * 1024;

/** A word to find a command by, in its own argument vector. */
export function newMarker(): string {
  return `al-marker-${randomBytes(8).toString("hex")}`;
}

/** Waits until no command with the marker runs on the machine any more. */
export async function expectGone(transport: Transport, marker: string): Promise<void> {
  // The bracket keeps the search from finding itself.
  const pattern = `[a]${marker.slice(1)}`;
  const search = ["sh", "-c", 'grep -lsa -e "$1" /proc/[0-9]*/cmdline; :', "sh", pattern];
  const running = async () => (await transport.exec(search)).stdout.toString();
  await expect.poll(running, { timeout: 15_000, interval: 50 }).toBe("");
}

/** Reads a stream to its end. */
export async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads a stream to its end, as UTF-8. */
export async function textOf(stream: Readable): Promise<string> {
  return (await bytesOf(stream)).toString();
}

/** Hexadecimal SHA-256. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
