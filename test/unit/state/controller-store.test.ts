import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openControllerStore, readControllerStore } from "../../../src/state/controller-store.ts";

let root: string;
let directory: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "al-store-"));
  directory = join(root, "controller/acme");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const KEY = { kind: "host-key", host: "web-1", fingerprint: "SHA256:x", endpoint: "e:22" } as const;
const GRANT = {
  kind: "grant",
  credential: "github_token:default",
  agent: "dev",
  host: "web-1",
  remote: "ssh://git@example.com/acme.git",
} as const;

/** Every file of the store's directory with its bytes, and times of its last change. */
function bytes(): string {
  const files = readdirSync(directory).sort();
  const contents = files.map((name) => readFileSync(join(directory, name)).toString("base64"));
  const times = execFileSync("stat", ["-c", "%n %Y %y %Z %i", directory, ...files], {
    cwd: directory,
  });
  return JSON.stringify([files, contents, times.toString()]);
}

test("reading where there is no store makes none, and nothing is approved", () => {
  const store = readControllerStore(directory);
  expect(store.hostKey("web-1")).toBeUndefined();
  expect(store.isGranted(GRANT)).toBe(false);
  expect(store.proposedKey("web-1").reveal()).toMatch(/^[0-9a-f]{64}$/);
  store.close();
  expect(readdirSync(root)).toEqual([]);
});

test("reading shows what was approved and leaves every byte as it is", () => {
  const written = openControllerStore(directory);
  written.approve(KEY, 1);
  written.approve(GRANT, 2);
  const key = written.proposedKey("web-1").reveal();
  written.close();
  const before = bytes();
  const store = readControllerStore(directory);
  expect(store.hostKey("web-1")).toBe("SHA256:x");
  expect(store.isGranted(GRANT)).toBe(true);
  expect(store.proposedKey("web-1").reveal()).toBe(key);
  expect(() => store.approve(KEY, 3)).toThrow(/only reads/);
  store.close();
  expect(bytes()).toBe(before);
});

test("reading beside a controller that has it open sees its newest words", () => {
  const written = openControllerStore(directory);
  written.approve(KEY, 1);
  const store = readControllerStore(directory);
  expect(store.hostKey("web-1")).toBe("SHA256:x");
  written.approve({ ...KEY, fingerprint: "SHA256:y" }, 2);
  const next = readControllerStore(directory);
  expect(next.hostKey("web-1")).toBe("SHA256:y");
  for (const one of [store, next, written]) one.close();
  expect(readdirSync(directory)).toEqual(["store.db"]);
});

test("the next key of a host is believed beside the approved one, until one is approved", () => {
  const store = openControllerStore(directory);
  store.expectKey("web-1", "SHA256:y");
  expect(store.believedKeys("web-1")).toEqual([]);
  store.approve(KEY, 1);
  store.expectKey("web-1", "SHA256:y");
  expect(store.believedKeys("web-1")).toEqual(["SHA256:x", "SHA256:y"]);
  expect(store.hostKey("web-1")).toBe("SHA256:x");
  const reading = readControllerStore(directory);
  expect(reading.believedKeys("web-1")).toEqual(["SHA256:x", "SHA256:y"]);
  expect(() => reading.expectKey("web-1", "SHA256:z")).toThrow(/only reads/);
  reading.close();
  store.approve({ ...KEY, fingerprint: "SHA256:y" }, 2);
  expect(store.believedKeys("web-1")).toEqual(["SHA256:y"]);
  store.close();
});

test("reading sees consent, and neither gives it nor forgets a host", () => {
  const written = openControllerStore(directory);
  written.consentToPrune("0123abc", 1);
  const store = readControllerStore(directory);
  expect(store.hasPruneConsent("0123abc")).toBe(true);
  expect(() => store.consentToPrune("4567def", 2)).toThrow(/by what only reads/);
  expect(() => store.forget("web-1")).toThrow(/by what only reads/);
  for (const one of [store, written]) one.close();
});

test.each([
  ["is no database", (content: Buffer) => Buffer.from(content.fill(7))],
  ["is empty", () => Buffer.alloc(0)],
  ["has a torn page", (content: Buffer) => content.fill(0, 4096, 8192)],
])("a store that %s is not replaced, and what to do is said", (_what, spoil) => {
  const store = openControllerStore(directory);
  store.consentToPrune("4567def", 1);
  store.close();
  const path = join(directory, "store.db");
  const spoilt = spoil(readFileSync(path));
  writeFileSync(path, spoilt);
  for (const open of [openControllerStore, openControllerStore, readControllerStore]) {
    expect(() => open(directory)).toThrow(
      expect.objectContaining({
        ...{ code: "store-damaged", blame: "terminal", hint: expect.stringContaining("approve") },
      }),
    );
    expect(readFileSync(path).equals(spoilt)).toBe(true);
  }
});
