import type { Json } from "../base/canonical-json.ts";

/** A delivery's body: a JSON object of whatever its sender made of it. */
export type Payload = Readonly<Record<string, Json>>;

/** A body that could be read, or what is wrong with it. */
export type PayloadReading =
  | { readonly ok: true; readonly payload: Payload }
  | { readonly ok: false; readonly problem: string };

/** Deeper than any sender goes, and far from where recursion would end a process. */
const MAX_DEPTH = 200;

/**
 * Reads a body that anybody may have written, and never throws. A form with the field `payload` is read
 * too (GitHub's other content type); beyond that the content type decides nothing.
 */
export function readPayload(body: Uint8Array, contentType: string | undefined): PayloadReading {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return { ok: false, problem: "the body is not UTF-8 text" };
  }
  if (isForm(contentType)) text = new URLSearchParams(text).get("payload") ?? "";
  if (depthOf(text) > MAX_DEPTH) {
    return { ok: false, problem: `the body is nested deeper than ${MAX_DEPTH} levels` };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problem: "the body is not JSON" };
  }
  if (isObject(value)) return { ok: true, payload: value };
  return { ok: false, problem: "the body is not a JSON object" };
}

/** The value at a path of own members; undefined when there is none. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let found = value;
  for (const key of path) {
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}

/** The text at a path, if there is any. */
export function textAt(value: Json | undefined, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** The whole number at a path, if it can be written exactly. */
export function numberAt(value: Json | undefined, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" && Number.isSafeInteger(found) ? found : undefined;
}

/** The list at a path; empty when there is none. */
export function listAt(value: Json | undefined, ...path: readonly string[]): readonly Json[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** Texts that are there, each once, in their order. */
export function textsOf(values: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(values.filter((value) => value !== undefined && value !== ""))] as string[];
}

/** Without the members that have no value. */
export function present(members: Readonly<Record<string, Json | undefined>>): Payload {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Payload;
}

function isObject(value: unknown): value is Payload {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isForm(contentType: string | undefined): boolean {
  return /^\s*application\/x-www-form-urlencoded\b/i.test(contentType ?? "");
}

/** How deep brackets outside of strings go. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === BACKSLASH) index += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) deepest = Math.max(deepest, ++depth);
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1;
  }
  return deepest;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];
