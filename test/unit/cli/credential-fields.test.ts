import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { inspect } from "node:util";
import { afterAll, expect, test } from "vitest";
import { fieldValue, parseFieldFlags, readField } from "../../../src/cli/credential-fields.ts";

const directory = mkdtempSync(join(tmpdir(), "al-fields-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const nothing = Readable.from([]);

test("a field comes from a file or from standard input", async () => {
  const path = join(directory, "token");
  writeFileSync(path, "from a file\n");
  const sources = parseFieldFlags([`token=@${path}`, "user=-"]);
  expect(sources).toEqual([
    { name: "token", from: path },
    { name: "user", from: "-" },
  ]);
  const stdin = Readable.from([Buffer.from("from "), Buffer.from("stdin\r\n")]);
  const values = await Promise.all(sources.map((source) => readField(source, stdin)));
  expect(values.map((value) => value.reveal())).toEqual(["from a file", "from stdin"]);
});

test.each([
  "token=tell-nobody",
  "token=tell=nobody",
  "token=@",
  "token=",
  "token",
  "a b=tell-nobody",
])("%s is refused without repeating a value", (flag) => {
  let refusal: unknown;
  try {
    parseFieldFlags([flag]);
  } catch (thrown) {
    refusal = thrown;
  }
  expect(refusal).toMatchObject({ code: "invalid-field", blame: "user" });
  expect(`${inspect(refusal)}${JSON.stringify(refusal)}`).not.toContain("nobody");
});

test("the reason why a value may not stand on the command line is given", () => {
  expect(() => parseFieldFlags(["token=x"])).toThrow(
    expect.objectContaining({
      hint: expect.stringContaining("Everyone on this machine can see it"),
    }),
  );
});

test.each([
  ["a field twice", ["token=-", "token=@x"]],
  ["standard input twice", ["a=-", "b=-"]],
])("%s is refused", (_what, flags) => {
  expect(() => parseFieldFlags(flags)).toThrow(expect.objectContaining({ code: "invalid-field" }));
});

test("a file that is not there is named, and nothing is stored", async () => {
  await expect(readField({ name: "token", from: "/no/such" }, nothing)).rejects.toMatchObject({
    code: "invalid-field",
    message: expect.stringContaining("/no/such cannot be read"),
  });
});

test.each([
  ["token", "a\n", "a"],
  ["token", "a\r\n", "a"],
  ["token", "a\n\n", "a\n"],
  ["token", " a ", " a "],
  ["token", "a", "a"],
  ["id_rsa", "a\n", "a\n"],
  ["own", "-----BEGIN KEY-----\n", "-----BEGIN KEY-----\n"],
])("field %s with %j is stored as %j", (name, given, stored) => {
  expect(fieldValue(name, Buffer.from(given)).reveal()).toBe(stored);
});

test.each([
  ["nothing", Buffer.from("\n")],
  ["too much", Buffer.alloc(1024 * 1024 + 1, "a")],
])("%s is refused", (_what, bytes) => {
  expect(() => fieldValue("token", bytes)).toThrow(
    expect.objectContaining({ code: "invalid-field" }),
  );
});
