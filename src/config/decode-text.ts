import type { Problem } from "./problems.ts";

/** A repository's text file, or what is wrong with it. */
export type DecodedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: Problem };

/** UTF-8 as text without byte order mark and with LF line ends; anything else is a problem. */
export function decodeText(file: string, bytes: Uint8Array, maxBytes: number): DecodedText {
  if (bytes.length > maxBytes) {
    return refuse(file, `is ${bytes.length} bytes long; at most ${maxBytes} are allowed`);
  }
  if (startsWith(bytes, [0xff, 0xfe]) || startsWith(bytes, [0xfe, 0xff])) {
    return refuse(file, "is encoded as UTF-16", "save it as UTF-8");
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const line = lineOfInvalidByte(bytes);
    return {
      ok: false,
      problem: { file, line, message: "is not UTF-8", hint: "save it as UTF-8" },
    };
  }
  if (text.includes("\0")) return refuse(file, "contains a NUL character: it is not a text file");
  return { ok: true, text: text.replaceAll("\r\n", "\n") };
}

function refuse(file: string, message: string, hint?: string): DecodedText {
  return { ok: false, problem: { file, message, hint } };
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

function lineOfInvalidByte(bytes: Uint8Array): number {
  const lenient = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const encoded = new TextEncoder().encode(lenient);
  let at = 0;
  while (at < bytes.length && bytes[at] === encoded[at]) at += 1;
  return bytes.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
}
