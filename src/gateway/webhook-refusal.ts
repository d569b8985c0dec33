import { AlError } from "../base/errors.ts";

/** Statuses that a delivery may be refused with. */
export type RefusalStatus = 400 | 401 | 404 | 405 | 413 | 429 | 503;

/** Why a delivery is not let in, thrown to leave the route early. */
export class WebhookRefusal extends AlError {
  readonly status: RefusalStatus;
  /** When it is worth sending it again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: RefusalStatus,
    message: string,
    options: {
      readonly code: string;
      readonly hint?: string;
      readonly retryAfterSeconds?: number;
      readonly cause?: unknown;
    },
  ) {
    super(message, { ...options, blame: status === 429 || status === 503 ? "transient" : "user" });
    this.status = status;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
