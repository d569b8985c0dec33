import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { OUTSIDE_PORT } from "../../src/core/names.ts";
import { deliveryRequests } from "./delivery-requests.ts";
import { askOnce, median } from "./load.ts";
import type { LongQueue } from "./long-queue.ts";
import { memoryOf } from "./process-use.ts";
import { openRuntimeBench } from "./runtime-process.ts";

// Run by long-queue.ts in a network of its own; prints what it found as JSON.

const PARALLEL = 16;
const HOUR_MS = 3_600_000;
const STUCK_MS = 60_000;

const queued = Number(process.argv[2]);
const isFirst = { value: true };
const runMs = () => (isFirst.value ? HOUR_MS : 0);
const agents = [{ name: "filler", label: "team-0" }];
const bench = await openRuntimeBench({ agents, engine: { runMs } });
try {
  await bench.start();
  const { body } = await bench.control("POST", "/control/trigger/filler");
  while (bench.engine.starts.length === 0) await delay(10);
  isFirst.value = false;
  await fill();
  process.stderr.write(`${queued} runs wait\n`);
  const begin = performance.now();
  await bench.control("POST", `/control/kill/${(body as { runId: string }).runId}`);
  const sizes = await followStarts();
  const seconds = (performance.now() - begin) / 1000;
  await bench.kill("SIGTERM");
  const tenth = Math.ceil(sizes.length / 10);
  const found: LongQueue = {
    ...{ queued, outOfOrder: countOutOfOrder(), seconds },
    firstBytes: median(sizes.slice(0, tenth)),
    lastBytes: median(sizes.slice(-tenth)),
  };
  process.stdout.write(JSON.stringify(found));
} finally {
  await bench.close();
}

async function fill(): Promise<void> {
  const { request } = deliveryRequests(["team-0"]);
  let sent = 0;
  const send = async () => {
    for (let n = sent++; n < queued; n = sent++) {
      const status = await askOnce(OUTSIDE_PORT, request(`delivery-${n}`, n));
      if (status !== 200) throw new Error(`delivery ${n} was answered with ${status}`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, send));
}

/** Looks at the runtime's memory until all have started. */
async function followStarts(): Promise<number[]> {
  const sizes: number[] = [];
  const { starts } = bench.engine;
  for (let seen = 0, since = performance.now(); starts.length <= queued; ) {
    await delay(100);
    sizes.push(memoryOf(bench.pid(), "VmRSS"));
    if (starts.length > seen) since = performance.now();
    seen = starts.length;
    if (performance.now() - since > STUCK_MS) throw new Error(`stuck after ${seen} starts`);
  }
  return sizes;
}

/** Against the order in which they were stored. */
function countOutOfOrder(): number {
  const database = new DatabaseSync(bench.statePath, { readOnly: true });
  const stored = database.prepare("SELECT id FROM runs ORDER BY rowid").all();
  database.close();
  return stored.filter(({ id }, n) => bench.engine.starts[n] !== id).length;
}
