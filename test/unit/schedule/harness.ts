import type { LogFields, Logger } from "../../../src/base/logger.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import type { ReleasedAgent } from "../../../src/core/released.ts";
import type { LiveRelease, RunnerPort } from "../../../src/schedule/ports.ts";
import type { RunQueuePorts } from "../../../src/schedule/run-queue.ts";
import { createScheduler } from "../../../src/schedule/scheduler.ts";
import { createMemoryWebhookReceipts } from "../state/memory-webhook-receipts.ts";
import { createMemoryRunStore } from "./memory-run-store.ts";
import { createMemoryHoldStore, createMemoryTickStore } from "./memory-schedule-stores.ts";
import { SimulatedClock } from "./simulated-clock.ts";
import { SimulatedEngine } from "./simulated-engine.ts";

/** A scheduler in a simulated world, and handles on everything in it. */
export function createWorld(
  options: Partial<Pick<RunQueuePorts, "store" | "receipts" | "holds" | "ticks">> & {
    start?: string;
  } = {},
) {
  const clock = new SimulatedClock(options.start);
  const engine = new SimulatedEngine(clock);
  const store = options.store ?? createMemoryRunStore();
  const { holds = createMemoryHoldStore(), ticks = createMemoryTickStore() } = options;
  const { receipts = createMemoryWebhookReceipts((runs) => runs.forEach(store.accept)) } = options;
  const warnings: { fields: LogFields; message: string }[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (fields, message) => void warnings.push({ fields, message }),
    child: () => logger,
  };
  const world = {
    clock,
    engine,
    store,
    holds,
    ticks,
    warnings,
    ready: true,
    release: release([agent("dev")]) as LiveRelease | undefined,
    open: (seen: Partial<Pick<RunQueuePorts, "store" | "holds" | "ticks" | "runner">> = {}) =>
      createScheduler({
        ...{ runner: engine as RunnerPort, store, receipts, holds, ticks, ...seen },
        ...{ clock, steady: clock.steady },
        logger,
        releases: { current: async () => world.release },
        ready: () => world.ready,
        containerName: ({ id }) => `run-${id}`,
      }),
    /** Runs oldest first, in a form that is easy to compare. */
    async history() {
      const runs = [...(await store.list({ limit: 1000 }))].reverse();
      return runs.map((run) => `${run.agent} ${run.trigger.kind} ${run.outcome ?? run.state}`);
    },
  };
  return world;
}

/** An agent of a release; never scheduled unless told. */
export function agent(name: string, more: Partial<ReleasedAgent> = {}): ReleasedAgent {
  return {
    name,
    image: "image",
    model: { provider: "anthropic", model: "m" },
    credentials: [],
    scale: 1,
    timeoutSeconds: 600,
    memoryBytes: 1,
    cpus: 1,
    params: {},
    ...more,
  };
}

/** A live release of these agents. */
export function release(
  agents: readonly ReleasedAgent[],
  project: Partial<LiveRelease["project"]> = {},
): LiveRelease {
  return {
    revision: "revision",
    release: "release",
    credentials: "set",
    project: {
      project: "p",
      maxReruns: 10,
      workQueueSize: 100,
      maxCallDepth: 3,
      lockTimeoutSeconds: 1800,
      baseImage: "base",
      agents: agents.map(({ name }) => name),
      ...project,
    },
    agents: new Map(agents.map((one) => [one.name, one])),
  };
}
