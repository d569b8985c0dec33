import type { Clock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import type { HoldsAnother, LockAnswer, LockRequest, NotHeld, RunLock } from "../core/run-lock.ts";
import type { ReleasePort } from "./ports.ts";

/**
 * Durable memory of locks: one per run, gone when it expires or its run ends. Every call is atomic, and
 * what it stored survives a power cut when its promise resolves.
 */
export interface LockStore {
  /** Takes a free lock; one that the run holds already is extended. */
  acquire(
    request: LockRequest & { readonly expiresAt: number },
  ): Promise<LockAnswer | HoldsAnother>;
  release(request: LockRequest): Promise<{ readonly kind: "released" } | NotHeld>;
  /** Moves the expiry of a lock that the run still holds. */
  heartbeat(request: LockRequest & { readonly expiresAt: number }): Promise<LockAnswer | NotHeld>;
  /** Sorted by key. */
  list(now: number): Promise<readonly RunLock[]>;
}

/** What runs may do with locks. `ttlSeconds` is the project's lockTimeout unless given. */
export interface Locks {
  acquire(run: Run, resourceKey: string, ttlSeconds?: number): ReturnType<LockStore["acquire"]>;
  release(run: Run, resourceKey: string): ReturnType<LockStore["release"]>;
  heartbeat(run: Run, resourceKey: string, ttlSeconds?: number): ReturnType<LockStore["heartbeat"]>;
  list(): ReturnType<LockStore["list"]>;
}

/** Locks over a store, by the given clock. Errors: AlError `not-serving` (transient). */
export function createLocks(ports: {
  readonly store: LockStore;
  readonly releases: ReleasePort;
  readonly clock: Clock;
}): Locks {
  const { store, releases, clock } = ports;
  const request = async (run: Run, resourceKey: string, ttlSeconds?: number) => {
    const release = await releases.current();
    if (!release) {
      const message = "this runtime serves no locks any more";
      throw new AlError(message, { code: "not-serving", blame: "transient" });
    }
    const ttlMs = (ttlSeconds ?? release.project.lockTimeoutSeconds) * 1000;
    const now = clock.now();
    return { run: run.id, resourceKey, now, expiresAt: now + Math.round(ttlMs) };
  };
  return {
    acquire: async (run, key, ttlSeconds) => store.acquire(await request(run, key, ttlSeconds)),
    release: async (run, key) => store.release(await request(run, key)),
    heartbeat: async (run, key, ttlSeconds) => store.heartbeat(await request(run, key, ttlSeconds)),
    list: () => store.list(clock.now()),
  };
}
