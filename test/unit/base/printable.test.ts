import fc from "fast-check";
import { expect, test } from "vitest";
import { printable, printableJson } from "../../../src/base/printable.ts";

test("escape sequences are shown, not obeyed", () => {
  expect(printable("a\u001b[31mred\u202e\tb\r")).toBe("a\\u{1b}[31mred\\u{202e}\tb\\u{d}");
});

test("JSON keeps its value, and holds nothing that a terminal obeys", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const json = printableJson({ text });
      expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(JSON.parse(json)).toEqual({ text });
    }),
  );
  expect(printableJson("\u009b31m\u{e0001}")).toBe('"\\u009b31m\\udb40\\udc01"');
});

test("whatever comes in, no control or formatting character but a tab goes out", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(printable(text).replaceAll("\t", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
});
