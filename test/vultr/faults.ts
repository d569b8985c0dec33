/** What can go wrong with the next requests that match. */
export interface VultrFault {
  readonly method?: string;
  /** Part of the path below `/v2`: `/instances`. */
  readonly path?: string;
  /** How many requests that match are spared first; default 0. */
  readonly after?: number;
  /** How many requests it happens to; default 1. */
  readonly times?: number;
  readonly does:
    | {
        readonly kind: "answer";
        readonly status: number;
        readonly error?: string;
        /** The body, instead of an error in Vultr's form. */
        readonly text?: string;
        readonly retryAfter?: number;
      }
    /** The request is carried out, and the connection ends before the answer. */
    | { readonly kind: "lose-answer" }
    /** The request is carried out, and no answer comes. */
    | { readonly kind: "hang" }
    /** The request is carried out, and answered with 500. */
    | { readonly kind: "fail-after" }
    /** The connection ends, and the request is carried out later. */
    | { readonly kind: "late"; readonly afterMs: number };
}

/** The faults that still wait for a request. */
export class FaultList {
  readonly #waiting: { readonly fault: VultrFault; spared: number; left: number }[] = [];

  add(fault: VultrFault): void {
    this.#waiting.push({ fault, spared: fault.after ?? 0, left: fault.times ?? 1 });
  }

  /** The fault that happens to this request, used up by it. */
  take(method: string, path: string): VultrFault["does"] | undefined {
    const entry = this.#waiting.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.method === undefined || fault.method === method) &&
        (fault.path === undefined || path.includes(fault.path)),
    );
    if (!entry) return undefined;
    if (entry.spared > 0) {
      entry.spared -= 1;
      return undefined;
    }
    entry.left -= 1;
    return entry.fault.does;
  }
}
