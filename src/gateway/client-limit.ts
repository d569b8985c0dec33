import type { MiddlewareHandler } from "hono";
import type { Clock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import { clientAddress, clientNetwork } from "./client-address.ts";
import { createRateLimits } from "./webhook-rate.ts";

/** Requests a minute that one client may have refused before nothing of its is looked at. */
const REFUSED_PER_MINUTE = 60;

/** What the limit is wired to. */
export interface ClientLimitPorts {
  /** Addresses and ranges of proxies whose word on a client's address is taken, as of now. */
  readonly trustedProxies: () => Promise<readonly string[]>;
  readonly clock: Clock;
}

/**
 * Turns away clients whose requests were refused too often, unread. What is let in does not count: a sender
 * of good deliveries is held back by nothing but its source's own rate. For requests that came through the
 * ingress only, which alone writes `X-Forwarded-For`.
 */
export function clientLimit({ trustedProxies, clock }: ClientLimitPorts): MiddlewareHandler {
  const limits = createRateLimits(clock);
  return async (context, next) => {
    const header = context.req.header("x-forwarded-for");
    const address = clientAddress(header, await trustedProxies());
    const client = address === undefined ? "unknown" : clientNetwork(address);
    const waitMs = limits.waitMs(client, REFUSED_PER_MINUTE);
    if (waitMs > 0) {
      context.header("retry-after", String(Math.ceil(waitMs / 1000)));
      throw new AlError("too many requests from your address were refused", {
        code: "too-many-refused",
        blame: "user",
      });
    }
    await next();
    if (isRefusal(context.res.status)) limits.take(client, REFUSED_PER_MINUTE);
  };
}

/** What was understood but is not possible at the moment (409), or came too fast (429), is no refusal. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 409 && status !== 429;
}
