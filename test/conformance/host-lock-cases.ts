import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { HostLock, HostSession } from "../../src/reconcile/ports.ts";
import type { HostRig } from "./host-rig.ts";

/** The right to change a host. */
export function lockCases(use: () => HostRig): void {
  const take = (session: HostSession, holder: string, signal?: AbortSignal) =>
    session.lock(use().bench.project, { holder, signal });

  test("only one holder has it; who waits gets it when it is released", async () => {
    const [first, second] = [use().session, await use().bench.connect()];
    const held = await take(first, "first");
    let waited: HostLock | undefined;
    const waiting = take(second, "second").then((lock) => {
      waited = lock;
    });
    await delay(300);
    expect(waited).toBeUndefined();
    expect(held.signal.aborted).toBe(false);
    await held.release();
    await waiting;
    expect(waited?.signal.aborted).toBe(false);
    await waited?.release();
    await second.close();
  });

  test("another project's lock is another lock", async () => {
    const held = await take(use().session, "first");
    const other = await use().session.lock(`${use().bench.project}-other`, { holder: "other" });
    await Promise.all([held.release(), other.release()]);
  });

  test("who stops waiting leaves it with its holder", async () => {
    const second = await use().bench.connect();
    const held = await take(use().session, "first");
    const abort = new AbortController();
    const waiting = take(second, "second", abort.signal);
    setTimeout(() => abort.abort(new Error("no patience")), 200);
    await expect(waiting).rejects.toBeDefined();
    expect(held.signal.aborted).toBe(false);
    await held.release();
    const next = await take(use().session, "third");
    await next.release();
    await second.close();
  });

  test("it ends with its connection, and the next holder needs no unlocking", async () => {
    const dying = await use().bench.connect();
    const held = await take(dying, "dying");
    await dying.close();
    expect(held.signal.aborted).toBe(true);
    const next = await take(use().session, "next");
    expect(next.signal.aborted).toBe(false);
    await next.release();
    await held.release();
  });
}
