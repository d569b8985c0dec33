import { createHash, hash } from "node:crypto";
import { canonicalJson, type Json } from "../base/canonical-json.ts";

/** SHA-256 of bytes or UTF-8 text, in hex. */
export function sha256(bytes: Uint8Array | string): string {
  return hash("sha256", bytes, "hex");
}

/** The spec hash: SHA-256 of the canonical JSON of one desired object, in hex. */
export function specHash(value: Json): string {
  return sha256(canonicalJson(value));
}

/** One file's path and content hash, as both sides list them. */
export interface FileHash {
  /** Relative, `/`-separated. */
  readonly path: string;
  /** SHA-256 in hex, or a keyed version for credentials. */
  readonly hash: string;
}

/** The name of a content-addressed directory: hash of its sorted file list. */
export function treeHash(files: readonly FileHash[]): string {
  const sorted = [...files].sort((a, b) => compareText(a.path, b.path));
  return specHash(sorted.map(({ path, hash }) => [path, hash]));
}

/** Orders by UTF-16 code units: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * The version of a credential field on one host: SHA-256 over key, a zero byte and the value.
 * Without the host's random key a version says nothing about the value.
 * The same sum is made on the host by its shell (`host/observe-script.ts`).
 */
export function credentialVersion(hostKeyHex: string, value: Uint8Array): string {
  return createHash("sha256").update(hostKeyHex).update("\0").update(value).digest("hex");
}
