import type { Clock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import type { ReleasePort } from "./ports.ts";

/** A lock somebody holds; times are ms since the epoch. */
export interface HeldLock {
  readonly resourceKey: string;
  /** The holding run's id, and its agent. */
  readonly run: string;
  readonly agent: string;
  readonly heldSince: number;
  readonly expiresAt: number;
}

/** One run wants something of one lock, at a time. */
export interface LockRequest {
  readonly run: string;
  readonly resourceKey: string;
  readonly now: number;
}

/** What asking for a lock came to. */
export type LockAnswer =
  | { readonly kind: "held"; readonly expiresAt: number }
  /** Another run holds it. */
  | { readonly kind: "taken"; readonly lock: HeldLock };

/** The run holds a lock already: this one. */
export interface HoldsAnother {
  readonly kind: "holds-another";
  readonly resourceKey: string;
}

/** Nobody holds the lock. */
export interface FreeLock {
  readonly kind: "free";
}

/**
 * Durable memory of locks: one per run, gone when it expires or its run ends. Every call is atomic, and
 * what it stored survives a power cut when its promise resolves.
 */
export interface LockStore {
  /** Takes a free lock; one that the run holds already is extended. */
  acquire(
    request: LockRequest & { readonly expiresAt: number },
  ): Promise<LockAnswer | HoldsAnother>;
  release(
    request: LockRequest,
  ): Promise<{ readonly kind: "released" } | FreeLock | Exclude<LockAnswer, { kind: "held" }>>;
  /** Moves the expiry of a lock that the run still holds. */
  heartbeat(request: LockRequest & { readonly expiresAt: number }): Promise<LockAnswer | FreeLock>;
  /** Sorted by key. */
  list(now: number): Promise<readonly HeldLock[]>;
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
