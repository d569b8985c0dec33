import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type { StepInput } from "../../../src/host/carry-out.ts";
import { removeProject } from "../../../src/host/remove-project.ts";
import { dir, home, transport } from "./observed-home.ts";

const OWN = [
  ...[
    "credential.key",
    "current.json",
    "stopped.json",
    "lock",
    "state.db",
    "state.db-wal",
    "state.db-shm",
  ],
  ...["state.db.damaged-20260131T120000Z", "state.db.recovered", "state.db.recovering-wal"],
  ...["runtime.lock", "runtime.lock-journal", "logs/dev/run-1.log"],
  ...["door/outside.sock", "door/outside.sock.next", "ingress/outside.sock"],
  ...["ingress/certificate.pem", "ingress/certificate.pem.half"],
  ...[".tmp-1/half", "releases/.tmp-2/half", "credentials/.tmp-3"],
];

function put(path: string, text = "x"): void {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function deploy(items: readonly unknown[] = []): void {
  for (const path of OWN) put(path);
  put("applied.json", JSON.stringify({ items }));
}

/** Only what the step looks at. */
const remove = () =>
  removeProject({ transport, observed: { facts: { projectDir: dir } } } as unknown as StepInput);

test("all that we and the runtime keep there goes, and the directory; repeating it is fine", async () => {
  deploy();
  expect(await remove()).toEqual({ kind: "done" });
  expect(existsSync(dir)).toBe(false);
  expect(await remove()).toEqual({ kind: "done" });
});

test("what is not ours stays where it is, and nothing is followed out of the directory", async () => {
  deploy();
  put("notes.txt", "mine");
  put("releases/mine/file", "mine");
  writeFileSync(join(home, "outside"), "outside");
  symlinkSync(home, join(dir, "credentials", ".tmp-link"));
  await remove();
  const left = readdirSync(dir, { recursive: true }).map(String).sort();
  expect(left).toEqual(["notes.txt", "releases", "releases/mine", "releases/mine/file"]);
  expect(existsSync(join(home, "outside"))).toBe(true);
});

test("a link in the place of a directory of ours is not followed", async () => {
  mkdirSync(join(home, "theirs/.tmp-theirs"), { recursive: true });
  put("applied.json", JSON.stringify({ items: [] }));
  symlinkSync(join(home, "theirs"), join(dir, "releases"));
  mkdirSync(join(home, "elsewhere"));
  writeFileSync(join(home, "elsewhere/certificate.pem"), "theirs");
  symlinkSync(join(home, "elsewhere"), join(dir, "ingress"));
  await remove();
  expect(readdirSync(join(home, "elsewhere"))).toEqual(["certificate.pem"]);
  expect(readdirSync(join(home, "theirs"))).toEqual([".tmp-theirs"]);
});

test("while the inventory lists anything nothing is removed", async () => {
  deploy([{ kind: "rules", id: "al-acme" }]);
  const before = readdirSync(dir, { recursive: true }).sort();
  expect(await remove()).toMatchObject({ kind: "kept" });
  expect(readdirSync(dir, { recursive: true }).sort()).toEqual(before);
});
