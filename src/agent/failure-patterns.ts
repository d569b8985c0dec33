/** Tool errors after which a run is given up. */
export const UNRECOVERABLE_LIMIT = 3;

const UNRECOVERABLE = [
  "bad credentials",
  "permission denied",
  "authentication failed",
  "resource not accessible by personal access token",
  "could not read from remote repository",
  "the requested url returned error: 403",
  "denied to ",
];

/** True for a tool error that trying again does not mend: authentication or permission. */
export function isUnrecoverable(toolError: string): boolean {
  const text = toolError.toLowerCase();
  return UNRECOVERABLE.some((pattern) => text.includes(pattern));
}

/** True for a model provider's answer that means "later". */
export function isRateLimit(modelError: string): boolean {
  return /\b(429|529)\b|overloaded|rate.?limit|too many requests/i.test(modelError);
}

/** True for a provider's answer to a key that it does not accept. */
export function isKeyRefused(modelError: string): boolean {
  return /\b40[13]\b/.test(modelError);
}

/** True for a provider's way of saying that it does not offer the model. */
export function isUnknownModel(modelError: string): boolean {
  return /\b404\b|model_not_found|invalid model\b|not a valid model/i.test(modelError);
}

/** True for an answer that broke on its way: JSON that cannot be read. */
export function isGarbled(modelError: string): boolean {
  return /unexpected (end of JSON|token)|\bin JSON at position\b/i.test(modelError);
}

/** How often and how long to wait before a failed model request is made again. */
export interface RetryPolicy {
  readonly maxRetries: number;
  /** Doubles with every attempt. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

/**
 * 30 s doubling to 5 min, five times, after a rate limit; 2 s after a broken connection or a 5xx;
 * never where the same request would get the same answer.
 */
export function retryPolicyFor(modelError: string, baseDelayMs = 30_000): RetryPolicy {
  const limited = isRateLimit(modelError);
  const isFinal = !limited && (isKeyRefused(modelError) || isUnknownModel(modelError));
  return {
    maxRetries: isFinal ? 0 : 5,
    baseDelayMs: limited ? baseDelayMs : Math.min(2_000, baseDelayMs),
    maxDelayMs: 300_000,
  };
}
