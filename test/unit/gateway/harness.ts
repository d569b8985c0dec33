import { createHash } from "node:crypto";
import { AlError } from "../../../src/base/errors.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import type { Hold } from "../../../src/core/hold.ts";
import type { Run } from "../../../src/core/run.ts";
import type { ListedLock } from "../../../src/core/run-lock.ts";
import type { Trigger } from "../../../src/core/trigger.ts";
import { createEventHub } from "../../../src/gateway/event-hub.ts";
import type { LogLine, RuntimeLogLine } from "../../../src/gateway/ports.ts";
import { SimulatedClock } from "../schedule/simulated-clock.ts";
import { createMemoryWebhookReceipts } from "../state/memory-webhook-receipts.ts";

/** The secret of the run that {@link createPorts} begins with. */
export const SECRET = "run-secret";

/** Ports of a gateway over one run in memory. */
export function createPorts() {
  const runs = [runningRun("01A")];
  const log: LogLine[] = [];
  const state = {
    serving: true,
    killable: true,
    killed: [] as string[],
    holds: new Map<string, Hold>(),
    locks: [] as ListedLock[],
    said: [] as RuntimeLogLine[],
    stops: [] as { readonly by?: string }[],
    reloads: 0,
    triggers: [] as Trigger[],
  };
  const clock = new SimulatedClock();
  const hash = createHash("sha256").update(SECRET).digest("hex");
  const report = {
    ...{ release: "release", credentials: "set", revision: "revision" },
    ...{ ready: true, activeRuns: 1, settled: true },
  };
  return {
    webhooks: {
      webhooks: { current: async () => ({ sources: [], listeners: [] }) },
      deliveries: { accept: async () => ({ kind: "accepted", runs: [], refused: [] }) as const },
      receipts: createMemoryWebhookReceipts(() => undefined),
      ...{ clock, newId: () => "01R" },
    },
    ...{ state, run: runs[0] as Run, runList: runs, log, clock, logger: silentLogger },
    runtime: {
      serving: async () => state.serving,
      report: async ({ rules = false } = {}) =>
        rules ? { ...report, rules: "missing" as const } : report,
      restoreRules: async () => true,
      stop: async (options: { readonly by?: string }) => {
        state.stops.push(options);
      },
    },
    runs: {
      get: async (id: string) => runs.find((run) => run.id === id),
      list: async ({ agent, limit }: { agent?: string; limit: number }) =>
        runs.filter((run) => agent === undefined || run.agent === agent).slice(0, limit),
      active: async () => runs.filter(({ state: its }) => ["starting", "running"].includes(its)),
      bySecret: async (found: string) => (found === hash ? runs[0] : undefined),
    },
    schedule: schedulePort(runs, state),
    events: createEventHub(clock),
    runtimeLog: {
      read: async (cursor: number) => state.said.filter((each) => each.cursor > cursor).slice(0, 2),
      tail: async (lines: number) => state.said.at(-lines - 1)?.cursor ?? 0,
    },
    credentials: { read: async () => ({ github_token: { default: { token: "ghp" } } }) },
    locks: { list: async () => state.locks },
    logs: {
      read: async (_run: Run, cursor: number) =>
        log.filter((line) => line.cursor > cursor).slice(0, 2),
      tail: async (_run: Run, lines: number) => log.at(-lines - 1)?.cursor ?? 0,
    },
  };
}

/** A scheduler of one agent, `dev`. */
function schedulePort(
  runs: readonly Run[],
  state: {
    readonly triggers: Trigger[];
    readonly killed: string[];
    readonly killable: boolean;
    reloads: number;
    readonly holds: Map<string, Hold>;
  },
) {
  return {
    async trigger(agent: string, trigger: Trigger) {
      state.triggers.push(trigger);
      if (agent === "dev") return runningRun("01B");
      const code = agent === "busy" ? "queue-full" : "unknown-agent";
      throw new AlError(`no ${agent}`, { code, blame: "user", hint: "Do something." });
    },
    async kill(id: string) {
      if (state.killable) state.killed.push(id);
      return state.killable;
    },
    async killAgent(agent: string, { queued }: { queued: boolean; why?: string }) {
      known(agent);
      return { killed: ["01A"], cancelled: queued ? ["01Q"] : [], failed: [] };
    },
    ...holding(state.holds, known),
    queue: async () =>
      runs
        .filter(({ state: its }) => its === "queued")
        .map((run) => ({ run, waitsFor: "a free runner of dev" })),
    agents: async () => [{ name: "dev", scale: 1, running: 1, queued: 0, enabled: true }],
    reload: async () => {
      state.reloads += 1;
    },
  };
}

/** Pauses of a scheduler and its agents, and agents that are disabled, in a map. */
function holding(holds: Map<string, Hold>, known: (agent: string) => void) {
  const hold = async (key: string, by: string | undefined) => {
    const made = holds.get(key) ?? { since: 1000, ...(by !== undefined && { by }) };
    holds.set(key, made);
    return made;
  };
  const target = (agent: string | undefined) => {
    if (agent !== undefined) known(agent);
    return `paused ${agent ?? ""}`;
  };
  return {
    pause: async ({ agent, by }: { agent?: string; by?: string }) => hold(target(agent), by),
    resume: async ({ agent }: { agent?: string }) => holds.delete(target(agent)),
    async disable({ agent, by }: { agent: string; by?: string }) {
      known(agent);
      return hold(`disabled ${agent}`, by);
    },
    async enable({ agent }: { agent: string }) {
      known(agent);
      return holds.delete(`disabled ${agent}`);
    },
    paused: async () => holds.get("paused "),
  };
}

function known(agent: string): void {
  if (agent === "dev") return;
  throw new AlError(`no ${agent}`, { code: "unknown-agent", blame: "user" });
}

/** The n-th line of a log whose lines are ten bytes long. */
export function line(n: number): LogLine {
  return { ts: `2026-01-01T00:00:0${n}Z`, stream: "stdout", text: `line ${n}`, cursor: n * 10 };
}

function runningRun(id: string): Run {
  return {
    ...{ id, agent: "dev", trigger: { kind: "manual" }, state: "running" },
    ...{ createdAt: 1000, startedAt: 2000, reruns: 0 },
    start: {
      ...{ revision: "revision", release: "release", image: "image", credentials: "set" },
      ...{ container: "al-p-run-01a", timeoutSeconds: 60 },
    },
  };
}
