/** Ends a run before its time, once: the first reason decides the exit code. */
export class Stop {
  #code: number | undefined;
  readonly #controller = new AbortController();
  readonly #listeners = new Set<() => void>();

  /** The exit code of the first stop, or undefined. */
  get code(): number | undefined {
    return this.#code;
  }

  get stopped(): boolean {
    return this.#code !== undefined;
  }

  /** Fires at the stop. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Stops with this code unless already stopped; listeners run before it returns. */
  now(code: number): void {
    if (this.#code !== undefined) return;
    this.#code = code;
    this.#controller.abort();
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` at the stop; at once if it has happened. */
  onStop(listener: () => void): void {
    if (this.stopped) listener();
    else this.#listeners.add(listener);
  }
}
