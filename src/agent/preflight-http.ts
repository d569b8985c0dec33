import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { AlError, errnoOf } from "../base/errors.ts";
import type { PreflightStep } from "../core/preflight-step.ts";
import { placeBelow } from "./place-below.ts";
import type { StepContext } from "./preflight.ts";
import { openNew } from "./run-process.ts";
import { substitute } from "./substitute.ts";

type Params = Extract<PreflightStep, { provider: "http" }>["params"];

/** Makes one HTTP request and puts the answer's body into a file below /tmp. */
export async function fetchToFile(params: Params, { tmp, env, signal }: StepContext) {
  const fill = (text: string) => substitute(text, env);
  const url = httpUrl(fill(params.url));
  const headers = Object.entries(params.headers ?? {}).map(([name, value]) => [name, fill(value)]);
  const output = await placeBelow(tmp, fill(params.output));
  const response = await fetch(url, {
    method: fill(params.method),
    headers: headers as [string, string][],
    ...(params.body === undefined ? {} : { body: fill(params.body) }),
    signal,
  }).catch((thrown) => {
    throw unreachable(url, thrown);
  });
  if (!response.ok) throw refused(url, response.status);
  await save(response, output, signal);
}

async function save(response: Response, path: string, signal: AbortSignal): Promise<void> {
  const file = await openNew(path);
  try {
    const body = Readable.fromWeb((response.body ?? new Blob([]).stream()) as ReadableStream);
    await pipeline(body, file.createWriteStream(), { signal });
  } catch (thrown) {
    await rm(path, { force: true });
    throw thrown;
  }
}

function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new AlError("`url` is not an http or https address", {
    code: "invalid-url",
    blame: "user",
  });
}

/** The path and query are left out: they may hold a token. */
function unreachable(url: URL, thrown: unknown): AlError {
  const { cause = thrown } = thrown as { cause?: unknown };
  const why = errnoOf(cause) ?? (cause as Error).message;
  return new AlError(`${url.origin} did not answer: ${why}`, {
    code: "http-unreachable",
    blame: "transient",
    cause: thrown,
  });
}

function refused(url: URL, status: number): AlError {
  return new AlError(`${url.origin} answered with HTTP ${status}`, {
    code: "http-refused",
    blame: "user",
  });
}
