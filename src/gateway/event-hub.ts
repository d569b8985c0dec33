import type { Clock } from "../base/clock.ts";
import type { NewEvent, RuntimeEvent } from "./event-schema.ts";

/** An event with its number, which is larger than those of all before it, also of earlier runtimes. */
export interface NumberedEvent {
  readonly id: number;
  readonly event: RuntimeEvent;
}

/** What happens in a runtime, told to whoever listens. */
export interface EventHub {
  /** Never throws, and waits for nobody. */
  emit(event: NewEvent): void;
  /** Listens from now on, or as `after` says. */
  listen(options?: ListenOptions): EventListener;
}

/** From where on, and what happens to who is too slow. */
export interface ListenOptions {
  /**
   * The id of an event: those after it that are kept come first, and where some are not kept any more,
   * `missed` does.
   */
  readonly after?: number | undefined;
  /** Told when more events wait than may; then there are no more. */
  readonly onLost?: () => void;
}

/** One who listens. */
export interface EventListener {
  /** The next event; `none` when there is none for so long. */
  next(waitMs: number, signal: AbortSignal): Promise<NumberedEvent | "none" | "lost">;
  /** Idempotent. */
  close(): void;
}

/** So many of the latest events are kept. */
const KEPT_EVENTS = 1000;
/** So many may wait for one who listens: more than are kept. */
const MAX_WAITING = 2000;

interface Listener {
  readonly waiting: NumberedEvent[];
  readonly onLost: () => void;
  lost: boolean;
  wake: () => void;
}

/** Events in memory: a runtime that starts anew knows none of its predecessor. */
export function createEventHub(
  clock: Clock,
  { kept = KEPT_EVENTS, maxWaiting = MAX_WAITING } = {},
): EventHub {
  const ring: NumberedEvent[] = [];
  const listeners = new Set<Listener>();
  // A thousand a millisecond: the next runtime begins above these.
  const first = clock.now() * 1000;
  let latest = first;
  const number = (event: NewEvent): NumberedEvent => ({
    id: latest,
    event: { ...event, at: clock.now() } as RuntimeEvent,
  });
  const since = (after: number): NumberedEvent[] => {
    const begins = ring[0]?.id ?? latest + 1;
    const newer = ring.filter(({ id }) => id > after);
    if (after >= begins - 1 && after <= latest) return newer;
    const missed = number({ kind: "state", change: "missed" });
    return [{ ...missed, id: begins - 1 }, ...ring];
  };
  return {
    emit(event) {
      latest += 1;
      const numbered = number(event);
      ring.push(numbered);
      if (ring.length > kept) ring.shift();
      for (const listener of listeners) hand(listener, numbered, maxWaiting);
    },
    listen({ after, onLost = () => undefined } = {}) {
      const waiting = after === undefined ? [] : since(after);
      const listener: Listener = { waiting, onLost, lost: false, wake: () => undefined };
      listeners.add(listener);
      return {
        next: (waitMs, signal) => next(listener, { clock, waitMs, signal }),
        close: () => void listeners.delete(listener),
      };
    },
  };
}

function hand(listener: Listener, event: NumberedEvent, maxWaiting: number): void {
  if (listener.lost) return;
  listener.waiting.push(event);
  listener.lost = listener.waiting.length > maxWaiting;
  if (listener.lost) {
    listener.waiting.length = 0;
    listener.onLost();
  }
  listener.wake();
}

async function next(
  listener: Listener,
  { clock, waitMs, signal }: { clock: Clock; waitMs: number; signal: AbortSignal },
): Promise<NumberedEvent | "none" | "lost"> {
  if (!listener.lost && listener.waiting.length === 0) {
    const over = new AbortController();
    listener.wake = () => over.abort();
    await clock.sleep(waitMs, AbortSignal.any([signal, over.signal])).catch(() => undefined);
    listener.wake = () => undefined;
  }
  return listener.lost ? "lost" : (listener.waiting.shift() ?? "none");
}
