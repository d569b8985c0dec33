/**
 * Who has to act on a failure. Adapters classify; only the work queue retries.
 *
 * - `user`: the operator or the repository's author; retrying changes nothing.
 * - `transient`: nobody; the same call may succeed later.
 * - `terminal`: this revision can never succeed here; waits for a new one.
 * - `bug`: us.
 */
export type Blame = "user" | "transient" | "terminal" | "bug";

/** What an {@link AlError} carries besides its message. */
export interface AlErrorOptions {
  /** Stable, kebab-case, for machines: `host-key-mismatch`. */
  readonly code: string;
  readonly blame: Blame;
  /** The next command or edit, as a full sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** The one error class: what happened and where in the message, what to do next in the hint. */
export class AlError extends Error {
  override readonly name = "AlError";
  readonly code: string;
  readonly blame: Blame;
  readonly hint: string | undefined;

  constructor(message: string, options: AlErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.blame = options.blame;
    this.hint = options.hint;
  }
}

/** Any thrown value as an AlError; what nobody classified is a bug of ours. */
export function toAlError(thrown: unknown): AlError {
  if (thrown instanceof AlError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AlError(message, { code: "unclassified", blame: "bug", cause: thrown });
}

/** True for an AlError with this code. */
export function hasCode(thrown: unknown, code: string): thrown is AlError {
  return thrown instanceof AlError && thrown.code === code;
}

/** The system error code of a Node error (`ENOENT`), or undefined. */
export function errnoOf(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
