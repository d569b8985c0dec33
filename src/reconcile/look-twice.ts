import type { HostSession, StepContext } from "./ports.ts";

/** How a host is looked at and changed, once and again when its lock is held. */
export interface TwoLooks<Look, Result> {
  look(signal: AbortSignal | undefined): Promise<Look>;
  /** What the first look comes to when it is all that happens. */
  first(look: Look): Result | undefined;
  /** What the look under the lock comes to when there is nothing to change any more. */
  second(look: Look): Result | undefined;
  onWaiting(): void;
  /** Changes the host; `signal` also fires when the lock is lost. */
  change(look: Look, signal: AbortSignal): Promise<Result>;
}

/** Whose lock is taken, and what is written into it. */
export interface LockWords {
  readonly project: string;
  readonly holder: string;
  readonly signal: StepContext["signal"];
}

/**
 * Looks at a host without its lock, and only where something is to be changed takes the lock and looks
 * again: another controller may have changed the host meanwhile.
 */
export async function lookTwice<Look, Result>(
  session: HostSession,
  words: LockWords,
  steps: TwoLooks<Look, Result>,
): Promise<Result> {
  const done = steps.first(await steps.look(words.signal));
  if (done !== undefined) return done;
  steps.onWaiting();
  return withLock(session, words, async (signal) => {
    const look = await steps.look(signal);
    return steps.second(look) ?? (await steps.change(look, signal));
  });
}

/** Holds the host's lock during `work`, whose signal also fires when the lock is lost. */
export async function withLock<T>(
  session: HostSession,
  { project, holder, signal }: LockWords,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lock = await session.lock(project, { holder, signal });
  try {
    return await work(signal ? AbortSignal.any([signal, lock.signal]) : lock.signal);
  } finally {
    await lock.release();
  }
}
