import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { KILL_AGENTS, type KillLoad, startKillLoad } from "./kill-load.ts";
import { killPoints } from "./kill-points.ts";
import type { Kills } from "./kills.ts";
import { openRuntimeBench, type RuntimeBench } from "./runtime-process.ts";

// Run by kills.ts in a network of its own; prints what it found as JSON.

/** Share of kills that do not wait until the runtime is ready. */
const EARLY_SHARE = 0.25;
const STARTING_MS = 600;
/** The others come after so many calls of the engine at most, a start takes a dozen, or after so long. */
const CALLS = 300;
const CALLS_MS = 3000;
const DRAIN_MS = 300_000;

const [kills = 0, seed = 0] = process.argv.slice(2).map(Number);
const random = seeded(seed);
const points = new Map<string, number>();
const engine = {
  callMs: () => random() * 8,
  runMs: (agent: string) => (agent === "caller" ? 300 + random() * 900 : 10 + random() * 200),
};
const bench = await openRuntimeBench({ agents: KILL_AGENTS, engine });
try {
  await bench.start();
  const load = startKillLoad(bench, random);
  for (let kill = 1; kill <= kills; kill++) {
    const wasReady = await atRandomMoment();
    const wire = load.onTheWire();
    await bench.kill();
    for (const point of killPoints(bench, { wire, wasReady })) {
      points.set(point, (points.get(point) ?? 0) + 1);
    }
    bench.spawn();
    if (kill % 20 === 0)
      process.stderr.write(`${kill} kills, ${bench.engine.starts.length} runs\n`);
  }
  await bench.untilReady();
  await load.end();
  await drain();
  await bench.kill("SIGTERM");
  process.stdout.write(JSON.stringify(judge(bench, load)));
} finally {
  await bench.close();
}

/** True when the runtime was ready by then. */
async function atRandomMoment(): Promise<boolean> {
  if (random() < EARLY_SHARE) {
    await delay(random() * STARTING_MS);
    return false;
  }
  await bench.untilReady();
  const [calls, deadline] = [bench.engine.calls + random() * CALLS, performance.now() + CALLS_MS];
  while (bench.engine.calls < calls && performance.now() < deadline) await delay(random() * 5);
  return true;
}

/** Until nothing waits; schedules go on ticking. */
async function drain(): Promise<void> {
  const deadline = performance.now() + DRAIN_MS;
  for (;;) {
    const { body } = await bench.control("GET", "/control/status");
    const { agents } = body as { agents: { name: string; queued: number; running: number }[] };
    const left = agents.filter(({ name }) => !name.startsWith("ticker"));
    if (left.every(({ queued, running }) => queued + running === 0)) return;
    if (performance.now() > deadline) throw new Error(`not drained: ${JSON.stringify(left)}`);
    await delay(200);
  }
}

/** By the store, and by the file that the engine wrote at each start. */
function judge({ statePath, startsPath }: RuntimeBench, load: KillLoad): Kills {
  const starts = new Map<string, number>();
  for (const run of readFileSync(startsPath, "utf8").trimEnd().split("\n")) {
    starts.set(run, (starts.get(run) ?? 0) + 1);
  }
  const database = new DatabaseSync(statePath, { readOnly: true });
  const stored = database.prepare("SELECT id, key, state FROM runs").all();
  const receipts = database.prepare("SELECT id, delivery_id FROM webhook_receipts").all();
  database.close();
  const runs = new Set(stored.map(({ id }) => String(id)));
  const ofReceipt = new Map<string, number>();
  for (const { key } of stored) {
    const receipt = /^webhook\/([^/]+)\//.exec(String(key))?.[1];
    if (receipt !== undefined) ofReceipt.set(receipt, (ofReceipt.get(receipt) ?? 0) + 1);
  }
  const known = new Set(receipts.map((row) => String(row.delivery_id)));
  const ids = [...load.called.values()].flatMap((each) => [...each]);
  // A tick that fell in the last moments may still wait.
  const ended = stored.filter(({ state }) => state === "finished");
  const lost = [
    ...[...load.delivered].filter((name) => !known.has(name)),
    ...[...load.triggered, ...ids].filter((run) => !starts.has(run)),
    ...ended.map(({ id }) => String(id)).filter((run) => !starts.has(run)),
    ...receipts.filter(({ id }) => !ofReceipt.has(String(id))).map((row) => `receipt ${row.id}`),
  ];
  const twice = [
    ...[...starts].filter(([, times]) => times > 1).map(([run]) => `run ${run}`),
    ...[...ofReceipt].filter(([, times]) => times > 1).map(([receipt]) => `receipt ${receipt}`),
    ...[...load.called].filter(([, each]) => each.size > 1).map(([name]) => name),
    ...(known.size < receipts.length ? ["a delivery has two receipts"] : []),
  ];
  const strangers = [...starts.keys()].filter((run) => !runs.has(run));
  return {
    ...{ kills, seed, lost, twice, runs: runs.size },
    strange: [...load.strange, ...strangers.map((run) => `start of unknown run ${run}`)],
    promised: {
      ...{ deliveries: load.delivered.size, triggers: load.triggered.size, calls: ids.length },
    },
    points: Object.fromEntries([...points].sort()),
  };
}

/** Mulberry32: small, and good enough to draw moments. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
