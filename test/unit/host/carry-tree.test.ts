import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import { carryTree } from "../../../src/transport/carry-tree.ts";
import { writeTree } from "../../../src/transport/files.ts";
import { dir, transport } from "./observed-home.ts";

const OLD = "a".repeat(64);
const NEW = "b".repeat(64);
const TOKEN = "github_token/default/token";
const KEY = "git_ssh/botty/id_rsa";

const at = (set: string, path = "") => join(dir, "credentials", set, path);
const entry = (path: string, value: string) => ({ path, mode: 0o600, content: new Secret(value) });

async function deployOld(): Promise<void> {
  await writeTree(transport, at(OLD), [entry(TOKEN, "old token"), entry(KEY, "old key\n")]);
}

const carry = (set: string, paths: readonly string[], entries = [entry(TOKEN, "new token")]) =>
  carryTree(transport, {
    directory: at(set),
    entries,
    carried: paths.map((path) => ({ path, from: OLD })),
  });

const contents = (set: string) =>
  Object.fromEntries(
    readdirSync(at(set), { recursive: true, withFileTypes: true })
      .filter((found) => !found.isDirectory())
      .map((found) => join(found.parentPath, found.name))
      .map((path) => [path.slice(at(set).length + 1), readFileSync(path, "utf8")]),
  );

test("a new set is made of what is sent and what lies in the old one, which stays", async () => {
  await deployOld();
  chmodSync(at(OLD, KEY), 0o644);
  await carry(NEW, [KEY]);
  expect(contents(NEW)).toEqual({ [TOKEN]: "new token", [KEY]: "old key\n" });
  expect(contents(OLD)).toEqual({ [TOKEN]: "old token", [KEY]: "old key\n" });
  expect(lstatSync(at(NEW, KEY)).mode & 0o777).toBe(0o600);
  expect(lstatSync(at(NEW, "git_ssh/botty")).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(dir, "credentials")).sort()).toEqual([OLD, NEW]);
});

test("a set can be made of carried files alone, again and again", async () => {
  await deployOld();
  await carry(NEW, [KEY, TOKEN], []);
  await carry(NEW, [KEY, TOKEN], []);
  expect(contents(NEW)).toEqual(contents(OLD));
});

test("a set that is made from itself is mended in place: links and extras go, values stay", async () => {
  await deployOld();
  const { ino } = lstatSync(at(OLD));
  writeFileSync(at(OLD, "github_token/default/extra"), "x");
  mkdirSync(at(OLD, "other/dir"), { recursive: true });
  symlinkSync("/etc/passwd", at(OLD, "link"));
  rmSync(at(OLD, "github_token/default/token"));
  symlinkSync("/etc", at(OLD, "github_token/default/token"));
  chmodSync(at(OLD, KEY), 0o644);
  await carry(OLD, [KEY]);
  expect(contents(OLD)).toEqual({ [TOKEN]: "new token", [KEY]: "old key\n" });
  expect(readdirSync(at(OLD)).sort()).toEqual(["git_ssh", "github_token"]);
  expect(lstatSync(at(OLD, KEY)).mode & 0o777).toBe(0o600);
  expect(lstatSync(at(OLD)).ino).toBe(ino);
  expect(readdirSync(join(dir, "credentials"))).toEqual([OLD]);
});

test("a directory in a field's place is no obstacle", async () => {
  await deployOld();
  rmSync(at(OLD, TOKEN));
  mkdirSync(at(OLD, TOKEN));
  writeFileSync(at(OLD, `${TOKEN}/x`), "x");
  await carry(OLD, [KEY]);
  expect(contents(OLD)).toEqual({ [TOKEN]: "new token", [KEY]: "old key\n" });
});

test.each(["gone", "a link", "below a link"])(
  "a carried file that is %s fails, and changes nothing",
  async (how) => {
    await deployOld();
    if (how === "below a link") {
      rmSync(at(OLD, "git_ssh"), { recursive: true });
      mkdirSync(join(dir, "elsewhere/botty"), { recursive: true });
      writeFileSync(join(dir, "elsewhere/botty/id_rsa"), "not ours");
      symlinkSync(join(dir, "elsewhere"), at(OLD, "git_ssh"));
    } else rmSync(at(OLD, KEY));
    if (how === "a link") symlinkSync("/etc/passwd", at(OLD, KEY));
    await expect(carry(NEW, [KEY])).rejects.toMatchObject({
      code: "file-failed",
      message: expect.stringContaining(`${KEY} is no longer in`),
    });
    expect(readdirSync(join(dir, "credentials"))).toEqual([OLD]);
    expect(readFileSync(at(OLD, TOKEN), "utf8")).toBe("old token");
  },
);
