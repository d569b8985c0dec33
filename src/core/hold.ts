import { printable } from "../base/printable.ts";

/** That something was stopped by an operator, and stays so until it is told to go on. */
export interface Hold {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Who did it, as their `al` says: `ann@laptop`. */
  readonly by?: string;
}

/**
 * What can be held. `paused`: nothing of the agent, or of the whole scheduler without one, starts.
 * `disabled`: the agent takes no trigger either.
 */
export interface HoldKey {
  readonly kind: "paused" | "disabled";
  readonly agent?: string;
}

/** A hold, and what it is on. */
export interface StandingHold extends HoldKey {
  readonly hold: Hold;
}

/** `since 2026-01-31 08:00 UTC by ann@laptop`. */
export function holdText({
  since,
  by,
}: Pick<Hold, "since"> & { readonly by?: string | undefined }): string {
  const time = new Date(since).toISOString().slice(0, 16).replace("T", " ");
  return `since ${time} UTC${by === undefined ? "" : ` by ${printable(by)}`}`;
}
