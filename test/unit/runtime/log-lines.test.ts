import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogLines } from "../../../src/runtime/log-lines.ts";

const TIME = (n: number) => `2026-01-01T00:00:00.${String(n).padStart(9, "0")}Z`;
const MESSAGE_BYTES = 16 * 1024;

/** What an engine sends for lines of a program: a time before each message of up to 16 KiB. */
function engineOutput(lines: readonly string[]): Buffer {
  const messages = lines.flatMap((text) => {
    const bytes = Buffer.from(`${text}\n`);
    const parts: Buffer[] = [];
    let rest = bytes;
    while (rest.length > MESSAGE_BYTES || (rest.length === MESSAGE_BYTES && rest.at(-1) !== 10)) {
      parts.push(rest.subarray(0, MESSAGE_BYTES));
      rest = rest.subarray(MESSAGE_BYTES);
    }
    return [...parts, rest];
  });
  return Buffer.concat(messages.flatMap((bytes, index) => [Buffer.from(`${TIME(index)} `), bytes]));
}

/** The same bytes in pieces of the given sizes, over and over. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = sizes[n % sizes.length] ?? 1;
    found.push(bytes.subarray(at, at + size));
    at += size;
  }
  return found;
}

describe("LogLines", () => {
  it("gives each line its time", () => {
    const lines = new LogLines();
    const bytes = engineOutput(["one", "", "three"]);
    expect(lines.push({ stream: "stdout", bytes })).toEqual([
      { ts: TIME(0), stream: "stdout", text: Buffer.from("one") },
      { ts: TIME(1), stream: "stdout", text: Buffer.from("") },
      { ts: TIME(2), stream: "stdout", text: Buffer.from("three") },
    ]);
  });

  it("keeps the two streams apart", () => {
    const lines = new LogLines();
    lines.push({ stream: "stdout", bytes: Buffer.from(`${TIME(1)} half `) });
    const error = lines.push({ stream: "stderr", bytes: Buffer.from(`${TIME(2)} oops\n`) });
    const out = lines.push({ stream: "stdout", bytes: Buffer.from("whole\n") });
    expect([...error, ...out].map(({ ts, stream, text }) => [ts, stream, `${text}`])).toEqual([
      [TIME(2), "stderr", "oops"],
      [TIME(1), "stdout", "half whole"],
    ]);
  });

  it("gives what is left at the end", () => {
    const lines = new LogLines();
    lines.push({ stream: "stdout", bytes: Buffer.from(`${TIME(1)} no newline`) });
    expect(lines.end().map(({ text }) => `${text}`)).toEqual(["no newline"]);
    expect(lines.end()).toEqual([]);
  });

  it("puts any lines together again, however they are cut", () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 80 }).map((value) => value.replaceAll("\n", "")),
      fc.integer({ min: 0, max: 50_000 }).map((length) => "x".repeat(length)),
      fc.constantFrom(16_383, 16_384, 16_385, 32_768).map((length) => "y".repeat(length)),
    );
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 4 }),
        (expected, sizes) => {
          const lines = new LogLines();
          const found = pieces(engineOutput(expected), sizes).flatMap((bytes) =>
            lines.push({ stream: "stdout", bytes }),
          );
          expect(found.map((line) => line.text.toString())).toEqual(expected);
          expect(lines.end()).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("cuts a line that has no end", () => {
    const lines = new LogLines();
    const bytes = engineOutput(["z".repeat(2_500_000)]);
    const found = lines.push({ stream: "stdout", bytes });
    expect(found.length).toBeGreaterThan(2);
    expect(Math.max(...found.map(({ text }) => text.length))).toBeLessThanOrEqual(1024 * 1024);
    expect(new Set(found.map(({ ts }) => ts))).toEqual(new Set([TIME(0)]));
  });
});
