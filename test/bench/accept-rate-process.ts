import { DatabaseSync } from "node:sqlite";
import { OUTSIDE_PORT } from "../../src/core/names.ts";
import type { AcceptRate } from "./accept-rate.ts";
import { deliveryRequests } from "./delivery-requests.ts";
import { type Load, type LoadResult, median, quantile, runLoad } from "./load.ts";
import { withBarePeer } from "./peer-process.ts";
import { processorMsOf } from "./process-use.ts";
import { openRuntimeBench } from "./runtime-process.ts";

// Run by accept-rate.ts in a network of its own; prints what it found as JSON.

const PARALLEL = 32;
const ROUNDS = 5;
const SECONDS = 3;
const WARM_UP_SECONDS = 1;
const HOUR_MS = 3_600_000;

const agents = Array.from({ length: 10 }, (_, n) => ({ name: `agent-${n}`, label: `team-${n}` }));
const deliveries = deliveryRequests(agents.map(({ label }) => label));

const ours: number[] = [];
const bare: number[] = [];
const cpu: number[] = [];
const bareCpu: number[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  const own = await onRuntime({ seconds: SECONDS });
  const floor = await onPeer({ seconds: SECONDS });
  ours.push(rateOf(own));
  bare.push(rateOf(floor));
  cpu.push(own.processorMs / own.answered);
  bareCpu.push(floor.processorMs / floor.answered);
  tell(`accepted a second: ${ours.at(-1)?.toFixed(0)}, bare ${bare.at(-1)?.toFixed(0)}`);
}
const rate = median(ours) / 2;
const p99s: number[] = [];
const bareP99s: number[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  p99s.push(p99(await onRuntime({ seconds: SECONDS, rate })));
  bareP99s.push(p99(await onPeer({ seconds: SECONDS, rate })));
  const [own, floor] = [p99s.at(-1), bareP99s.at(-1)];
  tell(`p99 at ${rate.toFixed(0)} a second: ${own?.toFixed(1)} ms, bare ${floor?.toFixed(1)} ms`);
}
const found: AcceptRate = {
  ...{ perSecond: median(ours), barePerSecond: median(bare), halfRate: rate },
  ...{ p99Ms: median(p99s), bareP99Ms: median(bareP99s), parallel: PARALLEL },
  ...{ processorMs: median(cpu), bareProcessorMs: median(bareCpu) },
  bodyBytes: deliveries.bodyBytes,
};
process.stdout.write(JSON.stringify(found));

type Measure = Pick<Load, "seconds" | "rate">;
/** With the processor time of all processes of the server. */
type Measured = LoadResult & { readonly processorMs: number };

/** A fresh runtime with an empty queue; whatever it answered with 200 must be stored with its run. */
async function onRuntime(measure: Measure): Promise<Measured> {
  const bench = await openRuntimeBench({ agents, engine: { runMs: () => HOUR_MS } });
  try {
    await bench.start();
    const { warm, result } = await warmed(OUTSIDE_PORT, bench.pids(), measure);
    await bench.kill();
    checkStored(bench.statePath, warm.answered + result.answered);
    return result;
  } finally {
    await bench.close();
  }
}

function onPeer(measure: Measure): Promise<Measured> {
  return withBarePeer(async (port, pid) => (await warmed(port, [pid], measure)).result);
}

async function warmed(port: number, pids: readonly number[], measure: Measure) {
  let sent = 0;
  const request = () => {
    const n = sent++;
    return deliveries.request(`7f3c2a10-cafe-11f0-8000-${String(n).padStart(12, "0")}`, n);
  };
  const load = { port, parallel: PARALLEL, request };
  const warm = await runLoad({ ...load, ...measure, seconds: WARM_UP_SECONDS });
  const used = () => pids.reduce((sum, pid) => sum + processorMsOf(pid), 0);
  const before = used();
  const result = { ...(await runLoad({ ...load, ...measure })), processorMs: used() - before };
  const others = { ...warm.others, ...result.others };
  if (Object.keys(others).length > 0) throw new Error(`refused: ${JSON.stringify(others)}`);
  return { warm, result };
}

function checkStored(path: string, answered: number): void {
  const database = new DatabaseSync(path);
  const count = (table: string) =>
    Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  const [receipts, runs] = [count("webhook_receipts"), count("runs")];
  database.close();
  if (receipts === answered && runs === answered) return;
  throw new Error(`${answered} were answered, ${receipts} receipts and ${runs} runs are stored`);
}

function rateOf({ answered, seconds }: LoadResult): number {
  return answered / seconds;
}

function p99({ latencies }: LoadResult): number {
  return quantile(latencies, 0.99);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
