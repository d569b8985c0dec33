/** A lock that a run holds; times are ms since the epoch. */
export interface RunLock {
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
  | { readonly kind: "taken"; readonly lock: RunLock };

/** The run holds a lock already: this one. */
export interface HoldsAnother {
  readonly kind: "holds-another";
  readonly resourceKey: string;
}

/** The run does not hold the lock: nobody does, or another run. */
export type NotHeld = { readonly kind: "free" } | Exclude<LockAnswer, { readonly kind: "held" }>;
