import { access, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { errnoOf } from "../base/errors.ts";

/** A gateway, as a run knows it. */
export interface GatewayPlace {
  readonly url: string;
  /** The run's secret; without one the gateway refuses. */
  readonly secret: string | undefined;
  /** Where it is noted that the gateway cannot be reached. */
  readonly directory: string;
  /** How long an absent gateway is waited for. */
  readonly patienceMs: number;
}

/** One request; `body` makes it a POST. */
export interface GatewayRequest {
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** Waits no longer than this for an absent gateway, whatever its patience. */
  readonly atMostMs?: number;
  /** How long the gateway itself is to wait: sent as `wait`, in seconds, less what has passed. */
  readonly waitMs?: number;
}

/** What came back; status 0 when there was no connection. */
export interface GatewayAnswer {
  readonly status: number;
  readonly body: unknown;
  /** True when an earlier attempt may have been carried out, its answer lost. */
  readonly repeated: boolean;
}

const SILENCE_MS = 30_000;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 2000;
const LOST = ".gateway-lost";
/** What a gateway that is being replaced looks like; other errors will not go away by waiting. */
const PASSING = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"]);

/**
 * Sends a request, and again while the gateway is being replaced (no connection, or 503), for as long as
 * it has patience. Once that was spent in vain, later requests are tried once only, until one succeeds:
 * a gateway that is gone costs a run its patience once, not at every command.
 */
export async function askGateway(
  gateway: GatewayPlace,
  request: GatewayRequest,
): Promise<GatewayAnswer> {
  const lost = join(gateway.directory, LOST);
  const patienceMs = (await exists(lost)) ? 0 : gateway.patienceMs;
  const atMostMs = Math.min(patienceMs, request.atMostMs ?? patienceMs);
  const asked = performance.now();
  let deadline = asked + atMostMs;
  let repeated = false;
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)) {
    const left = leftOf(request, asked);
    const begun = performance.now();
    const answer = await attempt(gateway, { ...request, ...left });
    if (!answer.passing) {
      if (answer.status !== 0) await rm(lost, { force: true });
      return { ...answer, repeated };
    }
    // While it let the request wait, as it was asked to, it was not gone.
    deadline += Math.min(performance.now() - begun, left.waitMs ?? 0);
    repeated ||= answer.status === 0 && answer.sent;
    if (performance.now() + delayMs > deadline) {
      if (request.atMostMs === undefined) await writeFile(lost, "").catch(() => undefined);
      return { ...answer, repeated };
    }
    await delay(delayMs);
  }
}

/** What is left of the time that the gateway was asked to wait. */
function leftOf({ waitMs }: GatewayRequest, asked: number): Pick<GatewayRequest, "waitMs"> {
  return waitMs === undefined ? {} : { waitMs: Math.max(0, asked + waitMs - performance.now()) };
}

interface Attempt {
  readonly status: number;
  readonly body: unknown;
  /** True when waiting may help. */
  readonly passing: boolean;
  readonly sent: boolean;
}

async function attempt(
  { url, secret }: GatewayPlace,
  { path, body, waitMs }: GatewayRequest,
): Promise<Attempt> {
  try {
    const said = body && { ...body, ...(waitMs !== undefined && { wait: waitMs / 1000 }) };
    const { status, body: received } = await exchange(`${url.replace(/\/+$/, "")}${path}`, {
      method: body ? "POST" : "GET",
      text: said && JSON.stringify(said),
      silenceMs: SILENCE_MS + (waitMs ?? 0),
      headers: secret ? { authorization: `Bearer ${secret}` } : {},
    });
    return { status, body: received, passing: status === 503, sent: true };
  } catch (thrown) {
    const code = errnoOf(thrown) ?? "unknown error";
    const error = { ok: false, error: `the gateway cannot be reached: ${code}` };
    const sent = code !== "ECONNREFUSED";
    return { status: 0, body: error, passing: PASSING.has(code), sent };
  }
}

/** Not fetch(), and TLS only where it is used: both take long to load. */
async function exchange(
  url: string,
  options: {
    readonly method: string;
    readonly text: string | undefined;
    readonly silenceMs: number;
    readonly headers: Record<string, string>;
  },
): Promise<{ status: number; body: unknown }> {
  const { method, text, silenceMs, headers } = options;
  const secure = url.startsWith("https:");
  const { request } = await (secure ? import("node:https") : import("node:http"));
  const length = text === undefined ? {} : { "content-length": Buffer.byteLength(text) };
  const type = text === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const receive = (response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      const plain = { ok: false, error: `the gateway answered with HTTP ${status}` };
      json(response).then(
        (body) => resolve({ status, body }),
        () => resolve({ status, body: plain }),
      );
    };
    const sent = request(url, { method, headers: { ...headers, ...length, ...type } }, receive);
    sent.setTimeout(silenceMs, () => {
      sent.destroy(Object.assign(new TypeError("no answer"), { code: "ETIMEDOUT" }));
    });
    sent.on("error", reject);
    sent.end(text);
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
