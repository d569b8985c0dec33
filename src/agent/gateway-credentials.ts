import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { AlError, errnoOf } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";

/** The gateway's answer: type, then instance, then field. */
const Answer = z.record(z.string(), z.record(z.string(), z.record(z.string(), z.string())));
type Answer = z.infer<typeof Answer>;

/** Where a run asks for its credentials. */
export interface GatewayPlace {
  /** GATEWAY_URL. */
  readonly url: string;
  readonly secret: Secret;
  /** First wait before asking again, doubling; 250 ms unless told. */
  readonly retryBaseMs?: number | undefined;
}

const RETRIES = 5;
const ANSWER_MS = 30_000;

/**
 * A run's credentials from `GET $GATEWAY_URL/credentials/<secret>`. A gateway that cannot be
 * reached or is not ready (502, 503, 504) is asked again for about eight seconds.
 * @throws AlError `credentials-unavailable`, saying what the gateway answered.
 */
export async function fetchCredentials(place: GatewayPlace): Promise<Answer> {
  const { retryBaseMs = 250 } = place;
  for (let attempt = 0; ; attempt++) {
    const answer = await ask(place);
    if (answer.kind === "credentials") return answer.credentials;
    if (answer.kind === "refused" || attempt === RETRIES) throw unavailable(answer);
    await delay(retryBaseMs * 2 ** attempt);
  }
}

type Asked =
  | { readonly kind: "credentials"; readonly credentials: Answer }
  /** `refused`: asking again would change nothing. */
  | { readonly kind: "refused" | "not-ready"; readonly why: string; readonly hint?: string };

async function ask({ url, secret }: GatewayPlace): Promise<Asked> {
  const base = url.replace(/\/+$/, "");
  let response: Response;
  try {
    response = await fetch(`${base}/credentials/${encodeURIComponent(secret.reveal())}`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch (thrown) {
    // The cause's text holds the URL, which holds the secret.
    const reason = errnoOf((thrown as { cause?: unknown }).cause) ?? "no answer";
    return { kind: "not-ready", why: `the gateway at ${base} cannot be reached: ${reason}` };
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) return refusal(response.status);
  const parsed = Answer.safeParse(body);
  if (parsed.success) return { kind: "credentials", credentials: parsed.data };
  return { kind: "refused", why: "the gateway's answer is not a set of credentials" };
}

function refusal(status: number): Asked {
  if ([502, 503, 504].includes(status)) {
    return { kind: "not-ready", why: `the gateway is not ready: HTTP ${status}` };
  }
  if (status === 403) {
    const hint = "The run has ended for the gateway, or SHUTDOWN_SECRET is not this run's.";
    return { kind: "refused", why: "the gateway does not know this run's secret: HTTP 403", hint };
  }
  if (status === 404) {
    const hint = "Look at GATEWAY_URL: it must name the gateway itself, without a path.";
    return { kind: "refused", why: "the gateway has no credentials for runs: HTTP 404", hint };
  }
  return { kind: "refused", why: `the gateway refused: HTTP ${status}` };
}

function unavailable({ why, hint }: { readonly why: string; readonly hint?: string }): AlError {
  return new AlError(`loading credentials: ${why}`, {
    code: "credentials-unavailable",
    blame: "transient",
    hint: hint ?? "Look at the host's runtime with `al status`.",
  });
}
