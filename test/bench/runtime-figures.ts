import { measureAcceptRate } from "./accept-rate.ts";
import type { Figure } from "./figures.ts";
import { measureIdleMemory } from "./idle-memory.ts";
import { measureKills } from "./kills.ts";
import { measureLockPairs } from "./lock-pairs.ts";
import { measureLongQueue } from "./long-queue.ts";

/** Figures of signed GitHub deliveries that are accepted with their runs. */
export async function webhookFigures(): Promise<readonly Figure[]> {
  const found = await measureAcceptRate();
  const { perSecond, barePerSecond, halfRate, p99Ms, bareP99Ms, parallel, bodyBytes } = found;
  const { processorMs, bareProcessorMs } = found;
  const ratio = perSecond / barePerSecond;
  return [
    {
      name: `deliveries of ${bodyBytes} bytes accepted a second, to a bare hono with one insert (${perSecond.toFixed(0)} to ${barePerSecond.toFixed(0)}, ${parallel} at a time)`,
      value: ratio.toFixed(2),
      goal: ">= 0.5",
      met: ratio >= 0.5,
    },
    {
      name: `processor time of a delivery, the door's included (bare: ${bareProcessorMs.toFixed(2)} ms)`,
      value: `${processorMs.toFixed(2)} ms`,
      goal: "reported",
      met: true,
    },
    {
      name: `p99 of their latency at ${halfRate.toFixed(0)} a second (the bare one at that rate: ${bareP99Ms.toFixed(1)} ms)`,
      value: `${p99Ms.toFixed(1)} ms`,
      goal: "<= 10 ms",
      met: p99Ms <= 10,
    },
  ];
}

/** What is lost, and what runs twice, when the runtime is killed again and again. */
export async function killFigures(say: (line: string) => void): Promise<readonly Figure[]> {
  // Another seed each time; the one of a failure can be given again.
  const { kills, seed, promised, runs, points, ...bad } = await measureKills({ seed: Date.now() });
  say(`kills that fell at each point, of ${kills} (seed ${seed}):`);
  for (const [point, times] of Object.entries(points))
    say(`  ${String(times).padStart(4)}  ${point}`);
  for (const each of [...bad.lost, ...bad.twice, ...bad.strange].slice(0, 20)) say(`  !! ${each}`);
  const { deliveries, triggers, calls } = promised;
  const of = `${deliveries} deliveries, ${triggers} triggers, ${calls} calls, ${runs} runs in all`;
  const none = (name: string, found: readonly string[]): Figure => ({
    name: `${name} over ${kills} SIGKILLs (${of})`,
    value: String(found.length),
    goal: "0",
    met: found.length === 0,
  });
  return [
    none("lost", bad.lost),
    none("run twice", bad.twice),
    none("answered or started as they should not be", bad.strange),
  ];
}

/** What a run waits for its lock. */
export async function lockFigures(): Promise<readonly Figure[]> {
  const { pairs, p50Ms, p99Ms, bareP50Ms, bareP99Ms } = await measureLockPairs();
  return [
    {
      name: `a lock taken and given back over HTTP, p50 of ${pairs} (p99 ${p99Ms.toFixed(1)} ms; bare hono with the same writes: ${bareP50Ms.toFixed(1)} and ${bareP99Ms.toFixed(1)} ms)`,
      value: `${p50Ms.toFixed(1)} ms`,
      goal: "<= 2 ms",
      met: p50Ms <= 2,
    },
  ];
}

/** Memory of a runtime that has nothing to do. */
export async function idleMemoryFigures(): Promise<readonly Figure[]> {
  const { agents, residentBytes, peakBytes } = await measureIdleMemory();
  const megabytes = residentBytes / 1e6;
  return [
    {
      name: `memory of an idle runtime with ${agents} agents (at most ${(peakBytes / 1e6).toFixed(0)} MB)`,
      value: `${megabytes.toFixed(0)} MB`,
      goal: "<= 100 MB",
      met: megabytes <= 100,
    },
  ];
}

/** How a long queue is worked off. */
export async function longQueueFigures(): Promise<readonly Figure[]> {
  const { queued, outOfOrder, seconds, firstBytes, lastBytes } = await measureLongQueue();
  const growth = (lastBytes - firstBytes) / 1e6;
  return [
    {
      name: `starts out of order of ${queued} queued runs (${(queued / seconds).toFixed(0)} starts a second)`,
      value: String(outOfOrder),
      goal: "0",
      met: outOfOrder === 0,
    },
    {
      name: `memory in the last tenth of them, more than in the first (${(firstBytes / 1e6).toFixed(0)} MB)`,
      value: `${growth.toFixed(1)} MB`,
      goal: "<= 10 MB",
      met: growth <= 10,
    },
  ];
}
