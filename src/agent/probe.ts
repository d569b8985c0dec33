import { get } from "node:http";
import { connect } from "node:net";
import * as z from "zod";
import { AlError, errnoOf } from "../base/errors.ts";

const Expectation = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("http-ok"),
    url: z.string(),
    timeoutMs: z.int().positive().default(5000),
  }),
  z.object({
    kind: z.literal("refused"),
    address: z.string(),
    port: z.int().min(1).max(65535),
    timeoutMs: z.int().positive().default(2000),
  }),
]);
type Expectation = z.output<typeof Expectation>;

/** What a connection attempt came to: a system error code, or one of these words. */
type Outcome = "connected" | "timeout" | string;

/** Answers that mean somebody said no; silence is not among them. */
const REFUSALS = ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EACCES", "EPERM", "ECONNRESET"];

const results = await Promise.all(parse(process.argv[2]).map(check));
const ok = results.every((result) => result.ok);
process.stdout.write(`${JSON.stringify({ ok, results })}\n`, () => process.exit(ok ? 0 : 1));

async function check(expectation: Expectation) {
  const started = performance.now();
  const outcome = await (expectation.kind === "http-ok"
    ? request(expectation.url, expectation.timeoutMs)
    : attempt(expectation));
  const ok = expectation.kind === "http-ok" ? outcome === "http 200" : REFUSALS.includes(outcome);
  return { ...expectation, ok, outcome, ms: Math.round(performance.now() - started) };
}

/** Not fetch(): that refuses some ports by itself, without a connection. */
function request(url: string, timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const asked = get(url, { signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      response.resume();
      resolve(`http ${response.statusCode}`);
    });
    asked.on("error", (error) => {
      resolve(error.name === "AbortError" ? "timeout" : (errnoOf(error) ?? "error"));
    });
  });
}

function attempt(target: { address: string; port: number; timeoutMs: number }): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: target.address, port: target.port, timeout: target.timeoutMs });
    const end = (outcome: Outcome) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once("connect", () => end("connected"));
    socket.once("timeout", () => end("timeout"));
    socket.on("error", (error) => end(errnoOf(error) ?? "error"));
  });
}

function parse(text: string | undefined): Expectation[] {
  try {
    return z
      .array(Expectation)
      .min(1)
      .parse(JSON.parse(text ?? ""));
  } catch (cause) {
    throw new AlError('usage: probe.js \'[{"kind":"http-ok","url":...}]\'', {
      code: "usage",
      blame: "bug",
      cause,
    });
  }
}
