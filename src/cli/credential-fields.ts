import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { AlError } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { isCredentialField, isKeyField } from "../core/credential-types.ts";

const MAX_BYTES = 1024 * 1024;

/** Where a field's value comes from; never the command line itself. */
export interface FieldSource {
  readonly name: string;
  /** A path, or `-` for standard input. */
  readonly from: string;
}

/**
 * Reads `name=-` and `name=@path`. A refusal never repeats what stands after `=`.
 * @throws AlError `invalid-field` (user).
 */
export function parseFieldFlags(flags: readonly string[]): readonly FieldSource[] {
  const sources = flags.map(parseFlag);
  const names = sources.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`field ${twice} is given twice`, "Give every field once.");
  if (sources.filter(({ from }) => from === "-").length > 1) {
    throw invalid(
      "two fields cannot both come from standard input",
      "Take files: --field name=@path",
    );
  }
  return sources;
}

/**
 * The value itself, as it is stored: without one newline at its end, unless it is a key, whose
 * programs insist on it.
 * @throws AlError `invalid-field` (user) when it is empty, too large or cannot be read.
 */
export async function readField(
  { name, from }: FieldSource,
  stdin: NodeJS.ReadableStream,
): Promise<Secret> {
  const bytes = from === "-" ? await buffer(stdin) : await readValueFile(name, from);
  return fieldValue(name, bytes);
}

/** Checks a value and takes the newline off its end, unless it is a key. */
export function fieldValue(name: string, bytes: Buffer): Secret {
  const value = isKeyField(name) || isPem(bytes) ? bytes : withoutNewline(bytes);
  if (value.byteLength === 0)
    throw invalid(`the value of field ${name} is empty`, "Nothing was stored.");
  if (value.byteLength > MAX_BYTES) {
    throw invalid(`the value of field ${name} is larger than 1 MiB`, "Is it the right file?");
  }
  return new Secret(value);
}

function parseFlag(flag: string): FieldSource {
  const at = flag.indexOf("=");
  const name = at < 0 ? flag : flag.slice(0, at);
  if (!isCredentialField(name)) {
    throw invalid(
      "a field's name has 1-63 letters, digits, `.`, `_` and `-`",
      "Write --field name=- or --field name=@path",
    );
  }
  const source = at < 0 ? "" : flag.slice(at + 1);
  if (source === "-") return { name, from: "-" };
  if (source.startsWith("@") && source.length > 1) return { name, from: source.slice(1) };
  throw invalid(
    `the value of field ${name} may not stand on the command line`,
    `Everyone on this machine can see it there, and your shell remembers it. Write --field ${name}=- and give it on standard input, or --field ${name}=@path for a file.`,
  );
}

async function readValueFile(name: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw invalid(
      `field ${name}: ${path} cannot be read: ${(cause as Error).message}`,
      "Nothing was stored.",
    );
  }
}

function isPem(bytes: Buffer): boolean {
  return bytes.subarray(0, 11).toString("latin1") === "-----BEGIN ";
}

function withoutNewline(bytes: Buffer): Buffer {
  const text = bytes.subarray(-2).toString("latin1");
  if (text === "\r\n") return bytes.subarray(0, -2);
  return text.endsWith("\n") ? bytes.subarray(0, -1) : bytes;
}

function invalid(message: string, hint: string): AlError {
  return new AlError(message, { code: "invalid-field", blame: "user", hint });
}
