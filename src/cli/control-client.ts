import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream as WebStream } from "node:stream/web";
import { hc } from "hono/client";
import type { z } from "zod";
import { AlError } from "../base/errors.ts";
import type { ControlApi } from "../gateway/control-api.ts";
import { refusedBy } from "../host/control.ts";
import { runtimeAnswer } from "../host/runtime-answer.ts";
import type { LiveRuntime } from "./commands/live-runtime.ts";

/** The control API's routes, as calls. */
export type ControlClient = ReturnType<typeof hc<ControlApi>>;

/** Until when an answer is waited for. */
export interface AskOptions {
  readonly signal: AbortSignal;
  /** Default 20 s. */
  readonly timeoutMs?: number;
}

/** All that asking a runtime takes. */
export type Runtime = Pick<LiveRuntime, "connection" | "runtime">;

/** What of a response is needed; `T` is what it has when all went well. */
interface Received<T> {
  readonly ok: boolean;
  readonly status: number;
  readonly body: ReadableStream | null;
  json(): Promise<T>;
}

type Answered<R> = R extends { ok: true; json(): Promise<infer T> } ? T : never;

/**
 * A runtime's answer, checked: its version may be another one.
 * @throws AlError with the API's own message, code and hint; `no-answer` (transient) when none comes in time.
 */
export async function ask<T, R extends Received<unknown>>(
  live: Runtime,
  schema: z.ZodType<T, Answered<R>>,
  request: (api: ControlClient) => Promise<R>,
  { signal, timeoutMs = 20_000 }: AskOptions,
): Promise<T> {
  const answer = await runtimeAnswer({ ...named(live), signal, timeoutMs }, async (ends) =>
    readJson(live, await request(clientOf(live, ends))),
  );
  return schema.parse(answer);
}

/**
 * A runtime's answer of one JSON value a line, each as it comes and checked. It ends quietly when the
 * runtime ends it.
 * @throws AlError as {@link ask} without a time limit, and `cut-off` (transient) when it breaks off.
 */
export async function* askLines<T>(
  live: Runtime,
  schema: z.ZodType<T>,
  request: (api: ControlClient) => Promise<Received<unknown>>,
  { signal }: Pick<AskOptions, "signal">,
): AsyncGenerator<T> {
  const input = await askStream(live, request, { signal });
  try {
    for await (const line of createInterface({ input })) yield schema.parse(JSON.parse(line));
  } catch (thrown) {
    if (!input.errored) throw thrown;
    throw cutOff(live, thrown);
  } finally {
    // Left early, it would pass on an error later, to nobody.
    input.destroy();
  }
}

/**
 * A runtime's answer as it comes.
 * @throws AlError with the API's own message, code and hint; `no-answer` (transient) when it goes away first.
 */
export async function askStream(
  live: Runtime,
  request: (api: ControlClient) => Promise<Received<unknown>>,
  { signal }: Pick<AskOptions, "signal">,
): Promise<Readable> {
  return runtimeAnswer({ ...named(live), signal }, async () => {
    const response = await request(clientOf(live, signal));
    if (!response.ok || !response.body) await readJson(live, response);
    return Readable.fromWeb(response.body as WebStream);
  });
}

function named({ connection, runtime }: Runtime): { host: string; runtime: string } {
  return { host: connection.docker.host, runtime };
}

function cutOff(live: Runtime, cause: unknown): AlError {
  const message = `host ${named(live).host}: its runtime's answer broke off`;
  return new AlError(message, { code: "cut-off", blame: "transient", cause });
}

async function readJson({ connection }: Runtime, response: Received<unknown>): Promise<unknown> {
  if (response.ok) return response.json();
  const body = await response.json().catch(() => undefined);
  throw refusedBy(connection.docker.host, response.status, body);
}

function clientOf({ connection, runtime }: Runtime, signal: AbortSignal): ControlClient {
  const client = hc<ControlApi>("http://runtime", {
    fetch: (url: string | URL | Request, init?: RequestInit) =>
      connection.control.fetch(runtime, String(url), { ...init, signal }),
  });
  return encodingParams(client);
}

/** hono's client puts a parameter into the path as it is; a name from outside must not change the path. */
function encodingParams<T extends object>(client: T): T {
  return new Proxy(client, {
    get: (target, key) => {
      const found: unknown = Reflect.get(target, key);
      return typeof found === "function" ? encodingParams(found) : found;
    },
    apply: (target, self, [args, options]: [{ param?: Record<string, string> }?, object?]) => {
      const given = Object.entries(args?.param ?? {});
      const param = Object.fromEntries(given.map(([name, value]) => [name, segment(value)]));
      return Reflect.apply(target as () => unknown, self, [{ ...args, param }, options]);
    },
  });
}

function segment(value: string): string {
  if (!/^\.{0,2}$/.test(value)) return encodeURIComponent(value);
  const message = `${JSON.stringify(value)} is no name`;
  throw new AlError(message, { code: "bad-name", blame: "user" });
}
