import { z } from "zod";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
};
const LEAST = 64 * 2 ** 20;

/** An amount of memory as Docker writes it (`512m`, `4g`), in bytes; at least 64m. */
export const Memory = sizeOf("less does not start");

/** As {@link Memory}, of logs. */
export const LogSize = sizeOf("one run alone may write 16m");

function sizeOf(whyNotLess: string) {
  return z.string().transform((text, context) => {
    const bytes = parseMemory(text);
    if (bytes !== undefined && bytes >= LEAST) return bytes;
    const message =
      bytes === undefined
        ? "must be a whole number with k, m or g, for example `4g`"
        : `must be at least 64m: ${whyNotLess}`;
    context.issues.push({ code: "custom", message, input: text });
    return z.NEVER;
  });
}

function parseMemory(text: string): number | undefined {
  const match = /^(\d{1,15})([bkmg]?)$/i.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * (UNITS[(match[2] ?? "").toLowerCase()] ?? 1);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
