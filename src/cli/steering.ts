import {
  type HoldAnswer,
  KillAnswer,
  type RunAnswer,
  RunsAnswer,
  StatusAnswer,
} from "../gateway/control-schema.ts";
import {
  AgentDisabledAnswer,
  AgentEnabledAnswer,
  AgentKillAnswer,
  AgentPausedAnswer,
  AgentResumedAnswer,
  LocksAnswer,
  PausedAnswer,
  QueueAnswer,
  ResumedAnswer,
} from "../gateway/steering-schema.ts";
import { ask, type ControlClient, type Runtime } from "./control-client.ts";

/** Time for a container to be killed, and seen to be. */
const KILL_MS = 60_000;

/** One agent of a runtime, or all of them, and who wants something of it: `ann@laptop`. */
export interface Wish {
  readonly agent?: string | undefined;
  readonly by: string;
}

/** What a runtime says of itself, its agents and their latest runs. */
export function askStatus(live: Runtime, signal: AbortSignal): Promise<StatusAnswer> {
  const get = (api: ControlClient) => api.control.status.$get({ query: {} });
  return ask(live, StatusAnswer, get, { signal });
}

/** Has nothing start any more; the first hold stays, and is returned. Idempotent. */
export async function pause(
  live: Runtime,
  { agent, by }: Wish,
  signal: AbortSignal,
): Promise<HoldAnswer> {
  const json = { by };
  if (agent === undefined) {
    const post = (api: ControlClient) => api.control.pause.$post({ json });
    return (await ask(live, PausedAnswer, post, { signal })).paused;
  }
  const post = (api: ControlClient) =>
    api.control.agents[":agent"].pause.$post({ param: { agent }, json });
  return (await ask(live, AgentPausedAnswer, post, { signal })).paused;
}

/** Ends a pause; false when there was none. */
export async function resume(
  live: Runtime,
  { agent }: Pick<Wish, "agent">,
  signal: AbortSignal,
): Promise<boolean> {
  if (agent === undefined) {
    const post = (api: ControlClient) => api.control.resume.$post();
    return (await ask(live, ResumedAnswer, post, { signal })).resumed;
  }
  const post = (api: ControlClient) =>
    api.control.agents[":agent"].resume.$post({ param: { agent } });
  return (await ask(live, AgentResumedAnswer, post, { signal })).resumed;
}

/** Has an agent take no trigger any more; the first hold stays, and is returned. Idempotent. */
export async function disable(
  live: Runtime,
  { agent, by }: { readonly agent: string; readonly by: string },
  signal: AbortSignal,
): Promise<HoldAnswer> {
  const post = (api: ControlClient) =>
    api.control.agents[":agent"].disable.$post({ param: { agent }, json: { by } });
  return (await ask(live, AgentDisabledAnswer, post, { signal })).disabled;
}

/** Has an agent take triggers again; false when it did before. */
export async function enable(live: Runtime, agent: string, signal: AbortSignal): Promise<boolean> {
  const post = (api: ControlClient) =>
    api.control.agents[":agent"].enable.$post({ param: { agent } });
  return (await ask(live, AgentEnabledAnswer, post, { signal })).enabled;
}

/** Runs that are starting or running. */
export async function runsUnderWay(
  live: Runtime,
  signal: AbortSignal,
): Promise<readonly RunAnswer[]> {
  const get = (api: ControlClient) => api.control.instances.$get();
  return (await ask(live, RunsAnswer, get, { signal })).runs;
}

/** What waits, in the order in which it starts. */
export async function queueOf(
  live: Runtime,
  { agent }: { readonly agent?: string | undefined },
  signal: AbortSignal,
): Promise<QueueAnswer["queue"]> {
  const query = agent === undefined ? {} : { agent };
  const get = (api: ControlClient) => api.control.queue.$get({ query });
  return (await ask(live, QueueAnswer, get, { signal })).queue;
}

/** What runs have locked, sorted by key. */
export async function locksOf(live: Runtime, signal: AbortSignal): Promise<LocksAnswer["locks"]> {
  const get = (api: ControlClient) => api.control.locks.$get();
  return (await ask(live, LocksAnswer, get, { signal })).locks;
}

/** Ends one run, or drops it from the queue. @throws AlError `not-running`, `unknown-run` (user). */
export async function killRun(live: Runtime, run: string, signal: AbortSignal): Promise<void> {
  const post = (api: ControlClient) => api.control.kill[":run"].$post({ param: { run } });
  await ask(live, KillAnswer, post, { signal, timeoutMs: KILL_MS });
}

/** Ends all runs of an agent; with `queued` also drops what waits. */
export function killAgent(
  live: Runtime,
  { agent, queued, by }: { readonly agent: string; readonly queued: boolean; readonly by: string },
  signal: AbortSignal,
): Promise<AgentKillAnswer> {
  const post = (api: ControlClient) =>
    api.control.agents[":agent"].kill.$post({ param: { agent }, json: { queued, by } });
  return ask(live, AgentKillAnswer, post, { signal, timeoutMs: KILL_MS });
}
