import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import type { Clock } from "../base/clock.ts";
import { AlError, toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Secret } from "../base/secret.ts";
import { createRateLimits } from "./webhook-rate.ts";

/** Where the gateway's key is read, afresh at each call. */
export interface GatewayKeyPort {
  /** Undefined where this host's gateway has none. */
  current(): Promise<Secret | undefined>;
}

/** What the guard is wired to. */
export interface KeyGuardPorts {
  readonly key: GatewayKeyPort;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A shorter key could be found by trying: then it is as if there was none. */
const MIN_KEY_BYTES = 16;
/** How many wrong attempts a minute are answered as such; the others get 429. */
const WRONG_PER_MINUTE = 30;

/** Characters: strangers write it. */
const MAX_LOGGED_PATH = 200;

const SET_UP =
  "Write control = true below [gateway] in config.toml, store a key (al creds add gateway_api_key), " +
  "commit, and grant it: al approve";
const BEARER = "Send the gateway's key: Authorization: Bearer <key>";

/**
 * Lets in who sends the gateway's key. How long comparing takes says nothing about it. Whoever has the
 * key is let in however often others were wrong: strangers cannot keep an operator out.
 */
export function keyGuard({ key, clock, logger }: KeyGuardPorts): MiddlewareHandler {
  const limits = createRateLimits(clock);
  const wrong = (context: Context, failure: AlError) => {
    const waitMs = limits.take("wrong", WRONG_PER_MINUTE);
    if (waitMs === 0) {
      const path = context.req.path.slice(0, MAX_LOGGED_PATH);
      logger.warn({ path, code: failure.code }, "control request refused");
      context.header("www-authenticate", "Bearer");
      return failure;
    }
    context.header("retry-after", String(Math.ceil(waitMs / 1000)));
    const message = "too many requests without the right key";
    return new AlError(message, { code: "too-many-attempts", blame: "user" });
  };
  // Why it fails names paths of the host, which are none of a stranger's business.
  const current = () =>
    key.current().catch((thrown) => {
      logger.error({ err: toAlError(thrown) }, "the gateway's key cannot be read");
      throw new AlError("the key cannot be checked now", {
        code: "not-serving",
        blame: "transient",
      });
    });
  return async (context, next) => {
    const [sent, held] = [bearerOf(context), await current()];
    if (!held || held.byteLength < MIN_KEY_BYTES) {
      const message = `the gateway of this host has no key of at least ${MIN_KEY_BYTES} characters`;
      throw wrong(context, refusal("no-gateway-key", message, SET_UP));
    }
    if (sent === undefined) throw wrong(context, refusal("no-key", "a key is needed", BEARER));
    if (!isSame(sent, held)) throw wrong(context, refusal("wrong-key", "the key is wrong", BEARER));
    return next();
  };
}

function bearerOf(context: Context): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(context.req.header("authorization") ?? "")?.[1];
}

function isSame(sent: string, held: Secret): boolean {
  const hash = (value: string | Buffer) => createHash("sha256").update(value).digest();
  return timingSafeEqual(hash(sent), hash(held.revealBytes()));
}

function refusal(code: string, message: string, hint: string): AlError {
  return new AlError(message, { code, blame: "user", hint });
}
