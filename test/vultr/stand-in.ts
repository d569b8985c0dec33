import { systemClock } from "../../src/base/clock.ts";
import { type AccountOptions, VultrAccountState } from "./account.ts";
import { FaultList, type VultrFault } from "./faults.ts";
import { vultrRoutes } from "./routes.ts";

/** How to make a stand-in. */
export interface StandInOptions extends Partial<AccountOptions> {
  /** Default `vultr-test-key`. */
  readonly key?: string;
  /** The most that a page holds; default 500, as there. */
  readonly perPage?: number;
}

/** A request that came, without its key. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly atMs: number;
  /** 0 when no answer was given. */
  readonly status: number;
}

/** What becomes of a connection instead of an answer. */
export type NoAnswer = "reset" | "hang";

const MOST_PER_SECOND = 30;
const KEYLESS = /^\/v2\/(plans|os|regions(\/[^/]+\/availability)?)$/;

/**
 * A stand-in for Vultr's API v2: its paths, status codes, pages, errors, life cycle and limit of
 * requests, with faults on demand. `handle` serves one request; how a connection ends without an
 * answer is its caller's business.
 */
export class VultrStandIn {
  readonly key: string;
  readonly account: VultrAccountState;
  readonly requests: SeenRequest[] = [];
  readonly #faults = new FaultList();
  readonly #routes: { fetch(request: Request): Response | Promise<Response> };
  readonly #options: StandInOptions & AccountOptions;
  readonly #late: Promise<unknown>[] = [];

  constructor(options: StandInOptions = {}) {
    this.#options = { clock: systemClock, ...options };
    this.key = options.key ?? "vultr-test-key";
    this.account = new VultrAccountState(this.#options);
    this.#routes = vultrRoutes(this.account, { perPage: options.perPage ?? 500 });
  }

  /** Something goes wrong with the next requests that match; faults are used up in order. */
  inject(fault: VultrFault): void {
    this.#faults.add(fault);
  }

  async handle(request: Request): Promise<Response | NoAnswer> {
    const { pathname } = new URL(request.url);
    const answer = await this.#answer(request, pathname);
    const status = typeof answer === "string" ? 0 : answer.status;
    const seen = { method: request.method, path: pathname, atMs: this.account.now(), status };
    this.requests.push(seen);
    return answer;
  }

  /** Resolves when everything that arrives late has arrived. */
  async settleLate(): Promise<void> {
    await Promise.all(this.#late);
  }

  async #answer(request: Request, path: string): Promise<Response | NoAnswer> {
    if (this.#isTooFast()) return answerOf(429, "rate limit exceeded", 1);
    if (!KEYLESS.test(path) && request.headers.get("authorization") !== `Bearer ${this.key}`) {
      return answerOf(401, "Invalid API token.");
    }
    const fault = this.#faults.take(request.method, path.slice("/v2".length));
    if (fault?.kind === "answer") {
      if (fault.text !== undefined) return new Response(fault.text, { status: fault.status });
      return answerOf(fault.status, fault.error ?? "scripted", fault.retryAfter);
    }
    if (fault?.kind === "late") {
      const copy = new Request(request.url, {
        method: request.method,
        headers: request.headers,
        body: await request.text(),
      });
      const waiting = this.#options.clock.sleep(fault.afterMs);
      this.#late.push(waiting.then(() => this.#routes.fetch(copy)));
      return "reset";
    }
    const answer = await this.#routes.fetch(request);
    if (fault?.kind === "lose-answer") return "reset";
    if (fault?.kind === "hang") return "hang";
    if (fault?.kind === "fail-after") return answerOf(500, "Internal server error.");
    return answer;
  }

  #isTooFast(): boolean {
    const since = this.account.now() - 1_000;
    return this.requests.filter(({ atMs }) => atMs > since).length >= MOST_PER_SECOND;
  }
}

function answerOf(status: number, error: string, retryAfter?: number): Response {
  const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
  return Response.json({ error, status }, { status, headers });
}
