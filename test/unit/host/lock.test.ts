import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LockOptions, takeLock } from "../../../src/host/lock.ts";
import { LOCK_SCRIPT } from "../../../src/host/lock-script.ts";
import { openLocal } from "../../../src/transport/local.ts";
import type { Transport } from "../../../src/transport/transport.ts";

let home: string;
const opened: Transport[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "al-lock-"));
  symlinkSync("/bin/sh", join(home, "sshd-session"));
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
  rmSync(home, { recursive: true, force: true });
});

/**
 * A connection whose commands are children of a shell that is called sshd, as they are on a host.
 * Without it the script would look further up, and might end a real SSH session we run in.
 */
function connect(): Transport {
  const local = openLocal({ host: "web-1", env: { HOME: home } });
  opened.push(local);
  const wrapper = [join(home, "sshd-session"), "-c", '"$@"; exit $?', "sshd"];
  return { ...local, spawn: (argv, options) => local.spawn([...wrapper, ...argv], options) };
}

const take = (transport: Transport, options: Partial<LockOptions> = {}) =>
  takeLock(transport, { project: "acme", holder: "first", ...options });

const lockFile = () => readFileSync(join(home, ".action-llama/projects/acme/lock"), "utf8");

/** Takes the lock and never sends a heartbeat, like a controller that was stopped. */
async function takeSilently(silenceSeconds: number, fence = "session") {
  const argv = [
    "sh",
    "-c",
    LOCK_SCRIPT,
    "lock",
    "acme",
    "silent",
    "1",
    String(silenceSeconds),
    fence,
  ];
  const running = await connect().spawn(argv);
  const [first] = (await running.stdout.take(1).toArray()) as Buffer[];
  expect(`${first}`).toBe("locked\n");
  return running;
}

test("only one holder has a project's lock at a time, and the next gets it on release", async () => {
  const first = await take(connect());
  let second: Awaited<ReturnType<typeof take>> | undefined;
  const waiting = take(connect(), { holder: "second" }).then((lock) => {
    second = lock;
  });
  await delay(400);
  expect(second).toBeUndefined();
  expect(first.signal.aborted).toBe(false);
  await first.release();
  await waiting;
  expect(second?.signal.aborted).toBe(false);
  expect(lockFile()).toBe("second\n");
  await second?.release();
  expect(lockFile()).toBe("");
});

test("who waited for the lock of a project that was removed has that of the next one", async () => {
  const first = await take(connect());
  const waiting = take(connect(), { holder: "second" });
  await delay(300);
  rmSync(join(home, ".action-llama/projects/acme"), { recursive: true });
  await first.release();
  const second = await waiting;
  expect(lockFile()).toBe("second\n");
  await expect(take(connect(), { waitSeconds: 1 })).rejects.toMatchObject({ code: "host-locked" });
  await second.release();
  expect(lockFile()).toBe("");
});

test("who has waited long enough is told who holds the lock", async () => {
  const first = await take(connect(), { holder: "al apply, pid 7 on laptop" });
  await expect(take(connect(), { waitSeconds: 1 })).rejects.toMatchObject({
    code: "host-locked",
    blame: "transient",
    message: "host web-1 is being changed by al apply, pid 7 on laptop",
  });
  await first.release();
});

test("two projects on a host do not wait for each other", async () => {
  const first = await take(connect());
  const other = await take(connect(), { project: "other", waitSeconds: 1 });
  await Promise.all([first.release(), other.release()]);
});

test("a lock ends with its connection, and the next holder gets it at once", async () => {
  const dying = connect();
  const first = await take(dying);
  await dying.close();
  expect(first.signal.aborted).toBe(true);
  expect(first.signal.reason).toMatchObject({ code: "connection-lost", blame: "transient" });
  const second = await take(connect(), { waitSeconds: 1 });
  await second.release();
});

test("heartbeats keep a lock for longer than the silence it tolerates", async () => {
  const first = await take(connect(), { silenceSeconds: 2 });
  await delay(3000);
  expect(first.signal.aborted).toBe(false);
  await expect(take(connect(), { waitSeconds: 1 })).rejects.toThrow(/being changed by first/);
  await first.release();
});

test("silence ends the SSH session first, and then frees the lock", async () => {
  const silent = await takeSilently(1);
  const second = await take(connect(), { holder: "second", waitSeconds: 10 });
  expect(await silent.exited).toMatchObject({ signal: "SIGKILL" });
  expect(second.signal.aborted).toBe(false);
  await second.release();
});

test("on the machine itself silence ends the holder's process, and no SSH session", async () => {
  const silent = await takeSilently(1, "parent");
  const second = await take(connect(), { holder: "second", waitSeconds: 10 });
  expect(await silent.exited).toMatchObject({ signal: "SIGKILL" });
  await second.release();
});

test("a holder whose input ends has lost the lock", async () => {
  const silent = await takeSilently(30);
  silent.stdin.end();
  const second = await take(connect(), { waitSeconds: 10 });
  await second.release();
});

test("whoever stops waiting leaves the lock as it is", async () => {
  const first = await take(connect());
  const abort = new AbortController();
  const waiting = take(connect(), { holder: "second", signal: abort.signal });
  await delay(200);
  abort.abort();
  await expect(waiting).rejects.toBeDefined();
  expect(lockFile()).toBe("first\n");
  await first.release();
  const third = await take(connect(), { waitSeconds: 1 });
  await third.release();
});

test("a holder's name is text in the file, whatever it contains", async () => {
  const lock = await take(connect(), {
    holder: `$(touch ${home}/pwned)\nlocked\u001b[31m${"x".repeat(500)}`,
  });
  expect(lockFile()).toMatch(/^\$\(touch .*\) locked \[31mx{10,}\n$/);
  expect(lockFile().length).toBeLessThanOrEqual(201);
  expect(existsSync(join(home, "pwned"))).toBe(false);
  await lock.release();
});

test("releasing twice, or after the lock was lost, is fine", async () => {
  const dying = connect();
  const lock = await take(dying);
  await dying.close();
  await lock.release();
  const next = await take(connect());
  await next.release();
  await next.release();
});
