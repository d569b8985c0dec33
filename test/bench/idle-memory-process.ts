import { setTimeout as delay } from "node:timers/promises";
import type { IdleMemory } from "./idle-memory.ts";
import { memoryOf } from "./process-use.ts";
import { openRuntimeBench } from "./runtime-process.ts";

// Run by idle-memory.ts in a network of its own; prints what it found as JSON.

const AGENTS = 100;
const SETTLE_MS = 30_000;

const agents = Array.from({ length: AGENTS }, (_, n) => ({
  ...{ name: `agent-${n}`, label: `team-${n}` },
  ...(n % 2 === 0 && { timezone: "Europe/Berlin" }),
  schedule: `${n % 60} ${n % 24} ${(n % 28) + 1} ${(n % 12) + 1} *`,
}));
const bench = await openRuntimeBench({ agents, engine: { runMs: () => 0 } });
try {
  await bench.start();
  const { body } = await bench.control("GET", "/control/status");
  const scheduled = (body as { agents: { nextRunAt?: number }[] }).agents.filter(
    ({ nextRunAt }) => nextRunAt !== undefined,
  );
  if (scheduled.length !== AGENTS) throw new Error(`${scheduled.length} agents have a next run`);
  await delay(SETTLE_MS);
  const found: IdleMemory = {
    agents: AGENTS,
    residentBytes: memoryOf(bench.pid(), "VmRSS"),
    peakBytes: memoryOf(bench.pid(), "VmHWM"),
  };
  process.stdout.write(JSON.stringify(found));
} finally {
  await bench.close();
}
