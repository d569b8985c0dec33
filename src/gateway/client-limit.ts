import type { Context, MiddlewareHandler } from "hono";
import type { Clock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import { clientAddress, clientNetwork } from "./client-address.ts";
import { createClientPlaces } from "./client-places.ts";
import { createRateLimits } from "./webhook-rate.ts";
import { createWelcomeClients } from "./welcome-clients.ts";

/** Requests a minute that one client may have refused before nothing of its is looked at. */
const REFUSED_PER_MINUTE = 60;
/** After this long, whoever has too many requests under way may try again. */
const BUSY_MS = 5000;

/** What the limit is wired to. */
export interface ClientLimitPorts {
  /** Addresses and ranges of proxies whose word on a client's address is taken, as of now. */
  readonly trustedProxies: () => Promise<readonly string[]>;
  /** The address that Docker gives everybody whom it passes on itself, as it does with IPv6: no client's. */
  readonly networkGateway: string;
  readonly clock: Clock;
}

/**
 * Turns away clients whose requests were refused too often, unread, and requests of a client that has too
 * many under way: slow ones would keep out everybody. Many senders may share an address, as GitHub's do: one
 * from which something was let in within the last hour is never turned away, whatever strangers send from
 * there. Of whom it is not known who they are, only how many are under way is limited. For requests that
 * came through the ingress only, which alone writes `X-Forwarded-For`.
 */
export function clientLimit(ports: ClientLimitPorts): MiddlewareHandler {
  const { trustedProxies, networkGateway, clock } = ports;
  const limits = createRateLimits(clock);
  const welcome = createWelcomeClients(clock);
  const places = createClientPlaces(clock, welcome.has);
  const refused = (client: string) => {
    if (client !== networkGateway) limits.take(client, REFUSED_PER_MINUTE);
  };
  return async (context, next) => {
    const client = clientOf(context, await trustedProxies());
    const waitMs = welcome.has(client) ? 0 : limits.waitMs(client, REFUSED_PER_MINUTE);
    if (waitMs > 0) throw tooMany(context, "refused", waitMs);
    if (!(await places.within(client, next))) {
      refused(client);
      throw tooMany(context, "under way", BUSY_MS);
    }
    const { status } = context.res;
    if (isRefusal(status)) refused(client);
    else if (status < 300 && client !== networkGateway) welcome.note(client);
  };
}

function clientOf({ req }: Context, trustedProxies: readonly string[]): string {
  const address = clientAddress(req.header("x-forwarded-for"), trustedProxies);
  return address === undefined ? "unknown" : clientNetwork(address);
}

function tooMany(context: Context, what: "refused" | "under way", waitMs: number): AlError {
  context.header("retry-after", String(Math.ceil(waitMs / 1000)));
  const code = what === "refused" ? "too-many-refused" : "too-many-under-way";
  const message = `too many requests from your address ${what === "refused" ? "were" : "are"} ${what}`;
  return new AlError(message, { code, blame: "user" });
}

/** What was understood but is not possible at the moment (409), or came too fast (429), is no refusal. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 409 && status !== 429;
}
