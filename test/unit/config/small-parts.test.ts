import { expect, test } from "vitest";
import { decodeText } from "../../../src/config/decode-text.ts";
import { Memory } from "../../../src/config/memory.ts";
import { agentNameProblem, projectNameFrom } from "../../../src/config/names.ts";
import { editDistance, nearestName } from "../../../src/config/nearest-name.ts";
import { formatKeyPath, formatProblems, sortProblems } from "../../../src/config/problems.ts";

test("edit distance counts insertions, deletions, replacements and swaps", () => {
  expect(editDistance("", "abc")).toBe(3);
  expect(editDistance("schedul", "schedule")).toBe(1);
  expect(editDistance("scehdule", "schedule")).toBe(1);
  expect(editDistance("kitten", "sitting")).toBe(3);
});

test("a name is suggested only where it may have been meant", () => {
  const names = ["schedule", "scale", "timeout"];
  expect(nearestName("Schedule", names)).toBe("schedule");
  expect(nearestName("timout", names)).toBe("timeout");
  expect(nearestName("colour", names)).toBeUndefined();
  expect(nearestName("x".repeat(10_000), names)).toBeUndefined();
});

test.each([
  ["4g", 4 * 2 ** 30],
  ["512M", 512 * 2 ** 20],
  ["1048576k", 2 ** 30],
  ["2147483648", 2 ** 31],
])("memory %s is %d bytes", (text, bytes) => {
  expect(Memory.parse(text)).toBe(bytes);
});

test.each(["", "4 g", "4gb", "1.5g", "-1g", "lots", "9999999999999999g"])(
  "memory %j is refused",
  (text) => {
    expect(Memory.safeParse(text).success).toBe(false);
  },
);

test("a byte order mark and carriage returns are taken off", () => {
  const bytes = Buffer.from("\ufeffa\r\nb\r\n");
  expect(decodeText("f", bytes, 100)).toEqual({ ok: true, text: "a\nb\n" });
});

test("text that is not UTF-8 is refused with the line of the first bad byte", () => {
  const latin1 = Buffer.concat([Buffer.from("ok\nbad "), Buffer.of(0xe4), Buffer.from(" x\n")]);
  expect(decodeText("f", latin1, 100)).toMatchObject({ ok: false, problem: { line: 2 } });
  const utf16 = Buffer.from("\ufeffabc", "utf16le");
  expect(decodeText("f", utf16, 100)).toMatchObject({
    problem: { message: "is encoded as UTF-16", hint: "save it as UTF-8" },
  });
  expect(decodeText("f", Buffer.from("a\0b"), 100).ok).toBe(false);
  expect(decodeText("f", Buffer.from("abc"), 2).ok).toBe(false);
});

test("agent names follow the rule", () => {
  for (const name of ["a", "dev", "dev-2", "9lives", "a".repeat(63)]) {
    expect(agentNameProblem(name)).toBeUndefined();
  }
  for (const name of ["", "-a", "a-", "Dev", "a_b", "a".repeat(64), "default"]) {
    expect(agentNameProblem(name)).toBeDefined();
  }
});

test("a directory's name becomes a project's name", () => {
  expect(projectNameFrom("My Project")).toBe("my-project");
  expect(projectNameFrom("__x__")).toBe("x");
  expect(projectNameFrom("日本")).toBe("project");
});

test("problems are sorted, single and printable", () => {
  const late = { file: "b.toml", line: 2, keyPath: "x", message: "m", hint: "h" };
  const early = { file: "a.toml", message: "bad \u001b[31m name" };
  expect(formatProblems(sortProblems([late, early, late]))).toBe(
    "a.toml: bad \\u{1b}[31m name\nb.toml:2: x: m (h)",
  );
  expect(formatKeyPath(["webhooks", 0, "a.b", "c"])).toBe('webhooks[0]."a.b".c');
});
