import { expect, test } from "vitest";
import { createRunLog, quote } from "../../../src/agent/run-log.ts";
import { Secret } from "../../../src/base/secret.ts";

function recorder() {
  const lines: string[] = [];
  const log = createRunLog(
    (line) => lines.push(line),
    () => 1234567890,
  );
  return { lines, log };
}

test("writes the contract's lines, marker first and time in milliseconds last", () => {
  const { lines, log } = recorder();
  log.log("info", "bash", { cmd: "git status" });
  expect(lines).toEqual([
    '{"_log":true,"level":"info","msg":"bash","cmd":"git status","ts":1234567890}\n',
  ]);
});

test("no field can replace the marker or the time", () => {
  const { lines, log } = recorder();
  log.log("info", "bash", { _log: false, ts: 1 });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ _log: true, ts: 1234567890 });
});

test.each([
  ['{"_log":true}', '> {"_log":true}'],
  [' \t{"\\u005flog":1}', '>  \t{"\\u005flog":1}'],
  ['{"log":true}', '{"log":true}'],
  ["{_log", "{_log"],
])("prints %s as %s", (text, line) => {
  const { lines, log } = recorder();
  log.print(text);
  expect(lines).toEqual([`${line}\n`]);
});

test("hides secrets in fields and output, each line of a key for itself, but no short ones", () => {
  const { lines, log } = recorder();
  log.hide([new Secret("line-one-of-key\nline-two-of-key"), new Secret("abc")]);
  log.log("error", "tool error", { result: "x line-two-of-key abc" });
  log.print("line-one-of-key");
  expect(JSON.parse(lines[0] ?? "").result).toBe("x [secret] abc");
  expect(lines[1]).toBe("[secret]\n");
});

test("quotes only as much as one line bears", () => {
  expect(quote("short")).toBe("short");
  expect(quote("x".repeat(5000))).toMatch(/^x{4000}… \[5000 characters\]$/);
});
