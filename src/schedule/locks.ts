import type { Clock } from "../base/clock.ts";
import { serialByKey } from "../base/concurrency.ts";
import { AlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import type {
  AcquireAnswer,
  ListedLock,
  LockAnswer,
  LockOptions,
  LockRequest,
  NotHeld,
  RunLock,
  Taken,
} from "../core/run-lock.ts";
import { LockLines, type Waiter } from "./lock-lines.ts";
import type { ReleasePort } from "./ports.ts";

/**
 * Durable memory of locks: one per run, gone when it expires or its run ends. Every call is atomic, and
 * what it stored survives a power cut when its promise resolves.
 */
export interface LockStore {
  /** Takes a free lock; one that the run holds already is extended. */
  acquire(request: LockRequest & { readonly expiresAt: number }): Promise<AcquireAnswer>;
  release(request: LockRequest): Promise<{ readonly kind: "released" } | NotHeld>;
  /** Moves the expiry of a lock that the run still holds. */
  heartbeat(request: LockRequest & { readonly expiresAt: number }): Promise<LockAnswer | NotHeld>;
  /** The run's lock, if it has one. */
  heldBy(run: string, now: number): Promise<RunLock | undefined>;
  /** Sorted by key. */
  list(now: number): Promise<readonly RunLock[]>;
}

/** What locks are wired to. */
export interface LocksPorts {
  readonly store: LockStore;
  readonly releases: ReleasePort;
  readonly clock: Clock;
}

/**
 * What runs may do with locks: one for each, so that no two can wait for each other. Whoever waits for a
 * lock stands in line, and nobody is let past. Lines end with the process; errors are AlError
 * `not-serving` (transient).
 */
export class Locks {
  readonly #ports: LocksPorts;
  readonly #lines = new LockLines();
  /** What is done with one lock is done one after another, or a newcomer could get in between. */
  readonly #serial = serialByKey();
  /** Look after a line when the lock it waits for expires. */
  readonly #alarms = new Map<string, AbortController>();
  #stopped = false;

  constructor(ports: LocksPorts) {
    this.#ports = ports;
  }

  async acquire(
    run: Run,
    resourceKey: string,
    { waitSeconds = 0, ...options }: LockOptions = {},
  ): Promise<AcquireAnswer> {
    const waiter = { run, resourceKey, ...options };
    const found = await this.#serial(resourceKey, () => this.#ask(waiter, waitSeconds));
    return "place" in found ? found.place : found;
  }

  release(run: Run, resourceKey: string): ReturnType<LockStore["release"]> {
    return this.#serial(resourceKey, async () => {
      const answer = await this.#ports.store.release(await this.#request({ run, resourceKey }));
      await this.#advance(resourceKey);
      return answer;
    });
  }

  async heartbeat(
    run: Run,
    resourceKey: string,
    ttlSeconds?: number,
  ): ReturnType<LockStore["heartbeat"]> {
    const options = ttlSeconds === undefined ? {} : { ttlSeconds };
    return this.#ports.store.heartbeat(await this.#request({ run, resourceKey, ...options }));
  }

  async list(): Promise<readonly ListedLock[]> {
    const { store, clock } = this.#ports;
    const locks = await store.list(clock.now());
    return locks.map((lock) => ({ ...lock, waiting: this.#lines.waiting(lock.resourceKey) }));
  }

  /** To be told when the end of a run is stored: it waits no more, and its lock is free. Never rejects. */
  async ended(run: string): Promise<void> {
    this.#lines.answerSome((waiter) => (waiter.run.id === run ? ENDED : undefined));
    const advanced = this.#lines.keys().map((key) => this.#serial(key, () => this.#advance(key)));
    await Promise.all(advanced);
  }

  /** Nobody waits any more: those who do are told `not-serving`. */
  stop(): void {
    this.#stopped = true;
    this.#lines.reject(notServing());
    for (const alarm of this.#alarms.values()) alarm.abort();
  }

  async #ask(
    waiter: Waiter,
    waitSeconds: number,
  ): Promise<AcquireAnswer | { readonly place: Promise<AcquireAnswer> }> {
    const { run, resourceKey, signal } = waiter;
    const ahead = await this.#advance(resourceKey);
    const answer = ahead ? await this.#behind(ahead, waiter) : await this.#take(waiter);
    if (answer.kind !== "taken" || waitSeconds <= 0 || signal?.aborted) return answer;
    if (this.#stopped) throw notServing();
    const place = this.#lines.join(waiter);
    if (!place) return answer;
    this.#limit(waiter, { ms: waitSeconds * 1000, place });
    // What happened before it stood here, nobody told this line of.
    const { store, clock } = this.#ports;
    try {
      const held = await store.heldBy(run.id, clock.now());
      if (held) {
        this.#lines.answer(waiter, { kind: "holds-another", resourceKey: held.resourceKey });
      }
    } catch (thrown) {
      this.#lines.reject(thrown, (each) => each === waiter);
    }
    await this.#advance(resourceKey);
    return { place };
  }

  /** For whoever comes while others wait: only what is its own already is not theirs. */
  async #behind(ahead: Taken, waiter: Waiter): Promise<AcquireAnswer> {
    const { store, clock } = this.#ports;
    const held = await store.heldBy(waiter.run.id, clock.now());
    if (held?.resourceKey === waiter.resourceKey) return this.#take(waiter);
    return held ? { kind: "holds-another", resourceKey: held.resourceKey } : ahead;
  }

  /** Gives a lock that is free to the first in its line; what those who are left wait for. Never rejects. */
  async #advance(resourceKey: string): Promise<Taken | undefined> {
    const lines = this.#lines;
    for (let first = lines.first(resourceKey); first; first = lines.first(resourceKey)) {
      try {
        const answer = first.signal?.aborted ? ENDED : await this.#take(first);
        if (answer.kind === "taken") {
          this.#wakeAt(resourceKey, answer.lock.expiresAt);
          return answer;
        }
        lines.answer(first, answer);
      } catch (thrown) {
        const waiter = first;
        lines.reject(thrown, (each) => each === waiter);
      }
    }
    this.#alarms.get(resourceKey)?.abort();
    this.#alarms.delete(resourceKey);
    return undefined;
  }

  /** Whoever gets a lock waits nowhere else. */
  async #take(waiter: Waiter): Promise<AcquireAnswer> {
    const answer = await this.#ports.store.acquire(await this.#request(waiter));
    if (answer.kind !== "held") return answer;
    const { run, resourceKey } = waiter;
    this.#lines.answerSome((other) => {
      if (other.run.id !== run.id) return undefined;
      return other.resourceKey === resourceKey ? answer : { kind: "holds-another", resourceKey };
    });
    return answer;
  }

  async #request({ run, resourceKey, ttlSeconds }: Waiter) {
    const { releases, clock } = this.#ports;
    const release = await releases.current();
    if (!release) throw notServing();
    const ttlMs = (ttlSeconds ?? release.project.lockTimeoutSeconds) * 1000;
    const now = clock.now();
    return { run: run.id, resourceKey, now, expiresAt: now + Math.round(ttlMs) };
  }

  #wakeAt(resourceKey: string, at: number): void {
    this.#alarms.get(resourceKey)?.abort();
    const alarm = new AbortController();
    this.#alarms.set(resourceKey, alarm);
    const { clock } = this.#ports;
    const advance = () => this.#serial(resourceKey, () => this.#advance(resourceKey));
    const ms = Math.min(Math.max(at - clock.now(), 0), LONGEST_SLEEP_MS);
    clock.sleep(ms, alarm.signal).then(advance, () => undefined);
  }

  /** Lets one go when its time is over, or it is gone. */
  #limit(
    waiter: Waiter,
    { ms, place }: { readonly ms: number; readonly place: Promise<AcquireAnswer> },
  ): void {
    const { resourceKey, signal } = waiter;
    const answered = new AbortController();
    const done = () => answered.abort();
    place.then(done, done);
    const until = signal ? AbortSignal.any([signal, answered.signal]) : answered.signal;
    const leave = () => this.#serial(resourceKey, () => this.#leave(waiter));
    this.#ports.clock.sleep(ms, until).then(leave, leave);
  }

  async #leave(waiter: Waiter): Promise<void> {
    if (!this.#lines.has(waiter)) return;
    if (waiter.signal?.aborted) this.#lines.answer(waiter, ENDED);
    const ahead = await this.#advance(waiter.resourceKey);
    if (ahead) this.#lines.answer(waiter, ahead);
  }
}

/** A timer cannot wait longer than 2^31 ms. */
const LONGEST_SLEEP_MS = 86_400_000;
const ENDED = { kind: "ended" } as const;

function notServing(): AlError {
  const message = "this runtime serves no locks any more";
  return new AlError(message, { code: "not-serving", blame: "transient" });
}
