import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** One connection that is kept, and asks one thing at a time. */
export class LoadConnection {
  readonly #socket: Socket;
  #received = "";
  #waiting: PromiseWithResolvers<number> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error("the connection was closed")));
  }

  static async open(port: number): Promise<LoadConnection> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new LoadConnection(socket);
  }

  /** Sends a request as it is; resolves to the answer's status once all of it is there. */
  ask(request: Uint8Array): Promise<number> {
    this.#waiting = Promise.withResolvers();
    this.#socket.write(request);
    return this.#waiting.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const head = this.#received.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = /^content-length: (\d+)/im.exec(this.#received.slice(0, head))?.[1];
    if (length === undefined) {
      this.#waiting?.reject(new Error("an answer without length"));
      return;
    }
    if (this.#received.length < head + 4 + Number(length)) return;
    const status = Number(this.#received.slice(9, 12));
    this.#received = "";
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(status);
  }
}

/** How a load went. */
export interface LoadResult {
  /** Requests answered with 200. */
  readonly answered: number;
  readonly seconds: number;
  /** From the moment a request was planned for to its answer, sorted; ms. */
  readonly latencies: readonly number[];
  /** Statuses other than 200, and how often. */
  readonly others: Readonly<Record<string, number>>;
}

/** What to send, where and for how long. */
export interface Load {
  readonly port: number;
  /** How many requests are under way at a time. */
  readonly parallel: number;
  readonly seconds: number;
  /** Requests per second; as fast as they are answered when absent. */
  readonly rate?: number;
  /** The n-th request. */
  readonly request: (n: number) => Uint8Array;
}

/**
 * Sends requests, each over a connection of its own. At a fixed rate one that has to wait for others
 * counts as late: its latency is measured from its planned time on.
 */
export async function runLoad(load: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  const others: Record<string, number> = {};
  const begin = performance.now();
  const end = begin + load.seconds * 1000;
  let sent = 0;
  const sendAll = async () => {
    for (;;) {
      const n = sent++;
      const from = load.rate === undefined ? performance.now() : begin + (n * 1000) / load.rate;
      if (from >= end) return;
      await until(from);
      const status = await askOnce(load.port, load.request(n));
      if (status === 200) latencies.push(performance.now() - from);
      else others[status] = (others[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: load.parallel }, sendAll));
  const seconds = (performance.now() - begin) / 1000;
  latencies.sort((a, b) => a - b);
  return { answered: latencies.length, seconds, latencies, others };
}

/** One request over a connection of its own; the answer's status. */
export async function askOnce(port: number, request: Uint8Array): Promise<number> {
  const connection = await LoadConnection.open(port);
  try {
    return await connection.ask(request);
  } finally {
    connection.close();
  }
}

/** The value below which this share (0 to 1) of sorted values lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** A timer may be a millisecond late, which counts as the answer's. */
async function until(time: number): Promise<void> {
  const left = time - performance.now();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
}

/** The median of values in any order. */
export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
