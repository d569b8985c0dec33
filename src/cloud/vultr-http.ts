import type { Clock } from "../base/clock.ts";
import { withDeadline } from "../base/deadline.ts";
import { AlError, errnoOf, hasCode, toAlError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { answerLost, failureText, refusal, temporary, unreadable } from "./vultr-errors.ts";

/** Vultr allows 30 from one address. */
export const VULTR_REQUESTS_PER_SECOND = 25;

const ATTEMPTS = 5;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 12_000;
const LONGEST_HOLD_MS = 60_000;
/** A server is locked while it is installed: about a minute. */
const LOCKED_MS = 120_000;

/** How to reach Vultr. */
export interface VultrOptions {
  readonly key: Secret;
  /** {@link VULTR_REQUESTS_PER_SECOND}, shared by everything in this process that speaks to Vultr. */
  readonly limiter: RateLimiter;
  readonly clock: Clock;
  /** From 0 to 1, for the jitter of delays. */
  readonly random: () => number;
  /** Default Vultr's own. */
  readonly baseUrl?: string;
  readonly fetch?: (request: Request) => Promise<Response>;
  /** For one attempt; default 30 seconds. */
  readonly timeoutMs?: number;
}

/** One request; a POST is never repeated unless it is certain that nothing was done. */
export interface VultrRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below `/v2`: `/plans`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** Sends a request and gives what came as JSON; undefined when nothing came. */
export type SendToVultr = (
  request: VultrRequest,
  options?: { readonly signal?: AbortSignal | undefined },
) => Promise<unknown>;

type Outcome =
  | { readonly kind: "answered"; readonly json: unknown }
  | {
      readonly kind: "again";
      readonly error: AlError;
      readonly waitMs?: number | undefined;
      /** How long to go on, instead of a number of attempts. */
      readonly patienceMs?: number | undefined;
    };

/**
 * Vultr's API with its limits: requests wait for the limiter, 429 and 5xx are repeated with growing,
 * jittered delays; for two minutes where what is to be removed is locked.
 * @throws AlError from what is returned: `provider-key-refused`, `provider-quota`, `provider-refused`,
 * `provider-not-found` (user), `provider-unreachable`, `provider-answer-lost` (transient),
 * `provider-answer-unreadable` (bug). None of them holds the key.
 */
export function openVultr(options: VultrOptions): SendToVultr {
  // Otherwise fetch would complain of the header, and quote it.
  if (!/^[\x21-\x7e]+$/.test(options.key.reveal())) throw unfitKey();
  return async (request, { signal } = {}) => {
    const start = options.clock.now();
    for (let attempt = 1; ; attempt += 1) {
      await options.limiter.take(signal);
      const outcome = await attemptOnce(options, request, signal);
      if (outcome.kind === "answered") return outcome.json;
      const { error, patienceMs } = outcome;
      const isOver = patienceMs === undefined && attempt >= ATTEMPTS;
      if (isOver || options.clock.now() - start > (patienceMs ?? Infinity)) throw error;
      await options.clock.sleep(Math.max(delayMs(options, attempt), outcome.waitMs ?? 0), signal);
    }
  };
}

async function attemptOnce(
  options: VultrOptions,
  request: VultrRequest,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const name = `${request.method} ${request.path} of Vultr`;
  const limits = { signal, timeoutMs: options.timeoutMs ?? 30_000 };
  let answer: { status: number; headers: Headers; text: string };
  try {
    answer = await withDeadline(name, limits, async (inner) => {
      const response = await (options.fetch ?? fetch)(requestOf(options, request, inner));
      return { status: response.status, headers: response.headers, text: await response.text() };
    });
  } catch (thrown) {
    signal?.throwIfAborted();
    const why = hasCode(thrown, "timeout") ? thrown.message : reasonOf(thrown);
    return failed(request, why, { wasSent: !wasNeverSent(thrown), cause: thrown });
  }
  return judge(options, request, answer);
}

function judge(
  { key, limiter }: VultrOptions,
  request: VultrRequest,
  { status, headers, text }: { status: number; headers: Headers; text: string },
): Outcome {
  if (status >= 200 && status < 300) return { kind: "answered", json: jsonOf(request, text) };
  const why = `${status}: ${failureText(text, key)}`;
  if (status === 429) {
    const waitMs = retryAfterMs(headers);
    limiter.hold(waitMs);
    return { kind: "again", error: temporary(request, why), waitMs };
  }
  if (status >= 500) {
    const isLocked = request.method === "DELETE" && /locked/i.test(why);
    return {
      ...failed(request, why, { wasSent: true }),
      ...(isLocked && { patienceMs: LOCKED_MS }),
    };
  }
  throw refusal(request, status, failureText(text, key));
}

/** Repeats what may be repeated; a POST that was sent may have been carried out. */
function failed(
  request: VultrRequest,
  why: string,
  { wasSent, cause }: { wasSent: boolean; cause?: unknown },
): Outcome {
  if (request.method === "POST" && wasSent) throw answerLost(request, why, cause);
  return { kind: "again", error: temporary(request, why, cause) };
}

function requestOf(
  { key, baseUrl = "https://api.vultr.com/v2" }: VultrOptions,
  { method, path, query = {}, body }: VultrRequest,
  signal: AbortSignal,
): Request {
  const url = new URL(`${baseUrl}${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return new Request(url, {
    method,
    headers: { authorization: `Bearer ${key.reveal()}`, "content-type": "application/json" },
    // The key goes to nobody else.
    redirect: "error",
    signal,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

function jsonOf(request: VultrRequest, text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw unreadable(request, "it is not JSON", thrown);
  }
}

function delayMs({ random }: VultrOptions, attempt: number): number {
  const longest = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), LONGEST_DELAY_MS);
  return longest / 2 + (longest / 2) * random();
}

function retryAfterMs(headers: Headers): number {
  const seconds = Number(headers.get("retry-after") ?? "");
  return Number.isFinite(seconds) ? Math.min(seconds * 1_000, LONGEST_HOLD_MS) : 0;
}

/** fetch hides the reason in the error's cause. */
function reasonOf(thrown: unknown): string {
  const inner = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  return errnoOf(inner) ?? toAlError(inner).message;
}

function wasNeverSent(thrown: unknown): boolean {
  const code = errnoOf((thrown as { cause?: unknown }).cause);
  return code !== undefined && ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"].includes(code);
}

function unfitKey(): AlError {
  return new AlError("the key for Vultr's API is empty or holds characters that no key has", {
    code: "provider-key-refused",
    blame: "user",
    hint: "Store the key again with: al creds add vultr_api_key",
  });
}
