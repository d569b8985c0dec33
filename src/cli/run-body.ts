import { readFile, stat } from "node:fs/promises";
import type { Json } from "../base/canonical-json.ts";
import { AlError } from "../base/errors.ts";
import { MAX_CONTEXT_BYTES } from "../core/trigger.ts";

/**
 * A webhook's context from a file: one JSON object of at most 10 MB.
 * @throws AlError `invalid-body` (user), saying what is wrong with it.
 */
export async function readRunBody(path: string): Promise<Readonly<Record<string, Json>>> {
  const facts = await stat(path).catch((cause: Error) => {
    throw invalidBody(path, `cannot be read: ${cause.message}`);
  });
  if (!facts.isFile()) throw invalidBody(path, "is not a file");
  if (facts.size > MAX_CONTEXT_BYTES) {
    const size = (facts.size / 1024 ** 2).toFixed(1);
    throw invalidBody(path, `has ${size} MB; a run's context may have at most 10 MB`);
  }
  const value = parse(path, await readFile(path));
  if (isObject(value)) return value;
  throw invalidBody(path, "must hold one JSON object");
}

function isObject(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(path: string, bytes: Buffer): Json {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return JSON.parse(text) as Json;
  } catch (thrown) {
    throw invalidBody(path, `is not JSON: ${(thrown as Error).message.slice(0, 200)}`);
  }
}

function invalidBody(path: string, problem: string): AlError {
  return new AlError(`--body ${path}: ${problem}`, {
    code: "invalid-body",
    blame: "user",
    hint: 'It is what a webhook would bring, for example {"source": "github", "event": "issues"}.',
  });
}
