/** A lock that a run holds; times are ms since the epoch. */
export interface RunLock {
  readonly resourceKey: string;
  /** The holding run's id, and its agent. */
  readonly run: string;
  readonly agent: string;
  readonly heldSince: number;
  readonly expiresAt: number;
}

/** A lock, and how many runs wait in line for it. */
export interface ListedLock extends RunLock {
  readonly waiting: number;
}

/** One run wants something of one lock, at a time. */
export interface LockRequest {
  readonly run: string;
  readonly resourceKey: string;
  readonly now: number;
}

/** How a run asks for a lock. */
export interface LockOptions {
  /** When it expires without a heartbeat; the project's lockTimeout unless given. */
  readonly ttlSeconds?: number;
  /** How long to wait in line for it; not at all unless given. */
  readonly waitSeconds?: number;
  /** Fires when whoever asked is gone: its place in line is given up. */
  readonly signal?: AbortSignal;
}

/** Another run holds the lock. */
export interface Taken {
  readonly kind: "taken";
  readonly lock: RunLock;
}

/** What becomes of wanting a lock. */
export type LockAnswer = { readonly kind: "held"; readonly expiresAt: number } | Taken;

/** What asking for a lock came to. */
export type AcquireAnswer =
  | LockAnswer
  /** The run holds a lock already: this one. */
  | { readonly kind: "holds-another"; readonly resourceKey: string }
  /** The run is over, or whoever asked for it is gone. */
  | { readonly kind: "ended" };

/** The run does not hold the lock: nobody does, or another run. */
export type NotHeld = { readonly kind: "free" } | Taken;
