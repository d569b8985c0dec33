import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import { credentialVersion } from "../../../src/core/fingerprint.ts";
import { openCredentialEditor } from "../../../src/credentials/credential-editor.ts";
import { openCredentialStore } from "../../../src/credentials/credential-store.ts";
import { certificatePair } from "./certificate-pair.ts";

const KEY = "ab".repeat(32);
let root: string;

beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), "al-store-")), "credentials");
});

afterEach(() => rmSync(dirname(root), { recursive: true, force: true }));

function put(path: string, value: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), value);
}

const need = (type: string, fields: readonly string[]) => ({
  type,
  instance: "default",
  fields,
  agents: ["dev"],
});
const fields = (values: Record<string, string>) =>
  new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
const modeOf = (path: string) => statSync(join(root, path)).mode & 0o777;

test("holdings tell versions of what is there and paths of what is not", async () => {
  put("git_ssh/default/username", "botty");
  const store = openCredentialStore(root);
  const holdings = await store.holdings([need("git_ssh", ["id_rsa", "username"])], KEY);
  const hash = credentialVersion(KEY, Buffer.from("botty"));
  expect(holdings).toEqual({
    held: [{ path: "git_ssh/default/username", hash }],
    absent: ["git_ssh/default/id_rsa"],
  });
});

test("a certificate that is not its key's is found before anybody is to have it", async () => {
  const [one, other] = [certificatePair(), certificatePair()];
  const given = need("tls_certificate", ["certificate", "private_key"]);
  const store = openCredentialStore(root);
  put("tls_certificate/default/certificate", one.certificate);
  expect((await store.holdings([given], KEY)).absent).toEqual([
    "tls_certificate/default/private_key",
  ]);
  put("tls_certificate/default/private_key", other.key);
  await expect(store.holdings([given], KEY)).rejects.toMatchObject({
    ...{ code: "certificate-unusable", blame: "user" },
    message: expect.stringContaining("tls_certificate:default"),
    hint: expect.stringContaining("al creds add tls_certificate:default"),
  });
  put("tls_certificate/default/private_key", one.key);
  expect((await store.holdings([given], KEY)).held).toHaveLength(2);
});

test("a type without known fields has those that are there, or none that is known", async () => {
  put("own/default/b", "1");
  put("own/default/a", "2");
  const store = openCredentialStore(root);
  const { held, absent } = await store.holdings([need("own", []), need("other", [])], KEY);
  expect(held.map(({ path }) => path)).toEqual(["own/default/a", "own/default/b"]);
  expect(absent).toEqual(["other/default/*"]);
});

test("what is written is readable for its owner alone, and by the store", async () => {
  const editor = openCredentialEditor(root);
  await editor.write({ type: "own", instance: "x" }, fields({ token: "a\n", user: "b" }));
  expect((await openCredentialStore(root).read("own/x/token"))?.reveal()).toBe("a\n");
  expect([".", "own", "own/x"].map(modeOf)).toEqual([0o700, 0o700, 0o700]);
  expect(["own/x/token", "own/x/user"].map(modeOf)).toEqual([0o600, 0o600]);
  expect(readdirSync(root)).toEqual(["own"]);
});

test("a store that was open to others is closed when it is written", async () => {
  put("own/x/token", "old");
  writeFileSync(join(root, "own/x/token"), "old", { mode: 0o644 });
  const editor = openCredentialEditor(root);
  await editor.write({ type: "own", instance: "x" }, fields({ token: "new" }));
  expect([".", "own", "own/x", "own/x/token"].map(modeOf)).toEqual([0o700, 0o700, 0o700, 0o600]);
});

test("writing replaces the given fields and keeps the others", async () => {
  const editor = openCredentialEditor(root);
  const ref = { type: "own", instance: "x" };
  await editor.write(ref, fields({ token: "1", user: "u" }));
  await editor.write(ref, fields({ token: "2" }));
  const store = openCredentialStore(root);
  expect((await store.read("own/x/token"))?.reveal()).toBe("2");
  expect((await store.read("own/x/user"))?.reveal()).toBe("u");
});

test("a write that fails leaves no value lying about", async () => {
  mkdirSync(join(root, "own/x/token"), { recursive: true });
  const editor = openCredentialEditor(root);
  const written = editor.write({ type: "own", instance: "x" }, fields({ token: "secret" }));
  await expect(written).rejects.toMatchObject({ code: "credential-not-written" });
  expect(readdirSync(root)).toEqual(["own"]);
});

test("what a killed process left is swept by a later write, what another one is writing is not", async () => {
  put(".tmp-old/token", "secret");
  put(".tmp-new/token", "secret");
  utimesSync(join(root, ".tmp-old"), 1, 1);
  await openCredentialEditor(root).write({ type: "own", instance: "x" }, fields({ token: "1" }));
  expect(readdirSync(root).sort()).toEqual([".tmp-new", "own"]);
});

test("a list has every credential with its fields, and no odd names", async () => {
  put("b/default/token", "1");
  put("a/two/x", "1");
  put("a/one/x", "1");
  put(".tmp-1/token/x", "1");
  put("A B/x/y", "1");
  put("file", "1");
  mkdirSync(join(root, "empty/default"), { recursive: true });
  const list = await openCredentialEditor(root).list();
  expect(list.map(({ type, instance }) => `${type}:${instance}`)).toEqual([
    "a:one",
    "a:two",
    "b:default",
  ]);
  expect(list[0]?.fields).toEqual([{ name: "x", changedAtMs: expect.any(Number) }]);
});

test("a list of a store that does not exist is empty, and does not make it", async () => {
  expect(await openCredentialEditor(root).list()).toEqual([]);
  expect(() => statSync(root)).toThrow();
});

test("removing takes a credential whole, and its type with the last one", async () => {
  put("own/a/token", "1");
  put("own/b/token", "1");
  const editor = openCredentialEditor(root);
  expect(await editor.remove({ type: "own", instance: "a" })).toBe(true);
  expect(readdirSync(join(root, "own"))).toEqual(["b"]);
  await editor.remove({ type: "own", instance: "b" });
  expect(readdirSync(root)).toEqual([]);
  expect(await editor.remove({ type: "own", instance: "b" })).toBe(false);
});
