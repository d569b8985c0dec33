import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { quoteArgv } from "../../../src/transport/quote.ts";

/** What a program really receives when /bin/sh runs the line. */
function bytesSeen(line: string): Buffer {
  return execFileSync("/bin/sh", ["-c", line], { env: { PATH: "/usr/bin:/bin" } });
}

const argument = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom(
      "'",
      '"',
      "\\",
      "$",
      "`",
      "!",
      "\n",
      "\r",
      " ",
      "*",
      "-",
      "~",
      "\u0001",
      "\u007f",
    ),
  }),
);

test("a real shell gives back exactly the bytes that were quoted", () => {
  const argv = fc.array(
    argument.map((text) => text.replaceAll("\0", "")),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(argv, (args) => {
      const line = quoteArgv(["printf", "%s\\0", "begin", ...args]);
      const expected = ["begin", ...args].map((text) => `${text}\0`).join("");
      expect(bytesSeen(line)).toEqual(Buffer.from(expected));
    }),
    { numRuns: 150 },
  );
});

test("every byte but NUL survives, alone and together", () => {
  const bytes = Array.from({ length: 127 }, (_, index) => String.fromCharCode(index + 1));
  const args = [...bytes, bytes.join("")];
  const line = quoteArgv(["printf", "%s\\0", ...args]);
  expect(bytesSeen(line)).toEqual(Buffer.from(args.map((text) => `${text}\0`).join("")));
});

test("what no command line can carry is refused as our own mistake", () => {
  const refused = [
    [],
    [""],
    ["a\0b"],
    ["true", "\0"],
    ["true", "\ud800"],
    ["true", "x\udfff"],
    ["-a"],
    ["A=b"],
  ];
  for (const argv of refused) {
    expect(() => quoteArgv(argv)).toThrow(
      expect.objectContaining({ code: "argv-invalid", blame: "bug" }),
    );
  }
});
