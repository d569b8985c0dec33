import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exitCodeOf, readSignals } from "../../../src/agent/signals.ts";

const BIN = join(import.meta.dirname, "../../../docker/bin");
let directory: string;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "al-signals-")), "not made yet");
});

afterEach(() => rm(join(directory, ".."), { recursive: true, force: true }));

function command(name: string, args: readonly string[] = [], input = ""): unknown {
  const env = { PATH: "/usr/bin:/bin", AL_SIGNAL_DIR: directory };
  return JSON.parse(execFileSync(join(BIN, name), args, { env, input, encoding: "utf8" }));
}

test("the commands write what the entry program reads, and leave no other file", async () => {
  expect(command("al-status", ["reviewing", "PR #42"])).toEqual({ ok: true });
  expect(command("al-rerun")).toEqual({ ok: true });
  expect(command("al-return", [], "line one\nline two\n")).toEqual({ ok: true });
  expect(command("al-exit", ["11"])).toEqual({ ok: true });
  expect(await readSignals(directory)).toEqual({
    rerun: true,
    status: "reviewing PR #42",
    returnValue: "line one\nline two",
    exitCode: 11,
  });
  expect((await readdir(directory)).toSorted()).toEqual(["exit", "rerun", "return", "status"]);
});

test("al-return takes its value as it is, also when it looks like an option or a format", async () => {
  command("al-return", ["-n %s \\t"]);
  expect((await readSignals(directory)).returnValue).toBe("-n %s \\t");
});

test("al-exit without a code means 15, and refuses what is no code", async () => {
  command("al-exit");
  expect((await readSignals(directory)).exitCode).toBe(15);
  for (const code of ["x", "-1", "256", "99999999999999999999"]) {
    expect(() => command("al-exit", [code])).toThrow(/status 9|Command failed/);
  }
});

test("nothing written means nothing asked for", async () => {
  expect(await readSignals(directory)).toEqual({
    rerun: false,
    status: undefined,
    returnValue: undefined,
    exitCode: undefined,
  });
});

test.each([
  [{ abortCode: 1, exitCode: 12, rerun: true }, 1],
  [{ abortCode: undefined, exitCode: 12, rerun: true }, 12],
  [{ abortCode: undefined, exitCode: 0, rerun: true }, 0],
  [{ abortCode: undefined, exitCode: undefined, rerun: true }, 42],
  [{ abortCode: undefined, exitCode: undefined, rerun: false }, 0],
])("abort, exit, rerun, return decide in that order: %j gives %i", (end, code) => {
  expect(exitCodeOf({ ...end, status: undefined, returnValue: "x" })).toBe(code);
});
