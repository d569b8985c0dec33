import { setTimeout as delay } from "node:timers/promises";
import { CONTAINER_API_PORT, OUTSIDE_PORT } from "../../src/core/names.ts";
import { type DeliveryRequests, deliveryRequests } from "./delivery-requests.ts";
import { askOnce } from "./load.ts";
import type { RuntimeBench } from "./runtime-process.ts";

/** Agents of the kills' project: some are started by labels, some by hand, some called, some tick. */
export const KILL_AGENTS = [
  ...[0, 1, 2, 3].map((n) => ({ name: `worker-${n}`, label: `team-${n}`, scale: 2 })),
  { name: "caller", scale: 3 },
  { name: "callee", scale: 3 },
  ...[0, 1].map((n) => ({ name: `ticker-${n}`, schedule: "* * * * * *" })),
];

/** What was asked of a runtime that is killed again and again, and what it promised. */
export interface KillLoad {
  /** Names of deliveries that were answered with 200. */
  readonly delivered: ReadonlySet<string>;
  /** Ids of runs that a trigger by hand was answered with. */
  readonly triggered: ReadonlySet<string>;
  /** Ids of calls by the name of their request. */
  readonly called: ReadonlyMap<string, ReadonlySet<string>>;
  /** What is sent and not answered at this moment. */
  onTheWire(): OnTheWire;
  /** Answers that nobody should get. */
  readonly strange: readonly string[];
  /** Asks for nothing new; resolves when all that was asked for is answered. */
  end(): Promise<void>;
}

/** Requests by their names; a trigger by hand has none. */
export interface OnTheWire {
  readonly deliveries: ReadonlySet<string>;
  readonly calls: ReadonlySet<string>;
  readonly triggers: number;
}

const SENDERS = 4;
const RETRY_MS = 50;
/** Nobody asks for more while so many runs wait: a slow machine would not come to the end. */
const MOST_WAITING = 60;

/** Sends deliveries, triggers and calls at random moments, each again until it is answered. */
export function startKillLoad(bench: RuntimeBench, random: () => number): KillLoad {
  const labels = KILL_AGENTS.flatMap((agent) => ("label" in agent ? [agent.label] : []));
  const asked = {
    ...{ delivered: new Set<string>(), triggered: new Set<string>(), strange: [] as string[] },
    called: new Map<string, Set<string>>(),
    open: { deliveries: new Set<string>(), calls: new Set<string>(), triggers: 0 },
  };
  const state = { ending: false };
  const load = { bench, random, requests: deliveryRequests(labels), asked, state };
  const loops = [
    ...Array.from({ length: SENDERS }, (_, sender) => sendDeliveries(load, sender)),
    ...[triggerByHand(load), triggerByHand(load)],
  ];
  return {
    ...asked,
    onTheWire: () => ({
      deliveries: new Set(asked.open.deliveries),
      calls: new Set(asked.open.calls),
      triggers: asked.open.triggers,
    }),
    async end() {
      state.ending = true;
      await Promise.all(loops);
    },
  };
}

interface Load {
  readonly bench: RuntimeBench;
  readonly random: () => number;
  readonly requests: DeliveryRequests;
  readonly asked: {
    readonly delivered: Set<string>;
    readonly triggered: Set<string>;
    readonly called: Map<string, Set<string>>;
    readonly open: { deliveries: Set<string>; calls: Set<string>; triggers: number };
    readonly strange: string[];
  };
  readonly state: { ending: boolean };
}

/** As a service does that delivers again what was not answered with 200, under the same name. */
async function sendDeliveries(load: Load, sender: number): Promise<void> {
  const { random, requests, asked, state } = load;
  for (let n = 0; !state.ending; n++) {
    if (isBehind(load)) {
      await delay(RETRY_MS);
      continue;
    }
    const name = `delivery-${sender}-${n}`;
    const request = requests.request(name, Math.floor(random() * 1000));
    // Now and then once more than needed, as a person does who presses "redeliver".
    for (let times = random() < 0.1 ? 2 : 1; times > 0; ) {
      asked.open.deliveries.add(name);
      const status = await askOnce(OUTSIDE_PORT, request).catch(() => undefined);
      asked.open.deliveries.delete(name);
      if (status === 200) times -= 1;
      else if (status !== undefined && status !== 503) asked.strange.push(`delivery: ${status}`);
      if (status === 200) asked.delivered.add(name);
      if (status !== 200) await delay(RETRY_MS);
    }
    await delay(random() * 500);
  }
}

function isBehind({ bench, asked }: Load): boolean {
  const { starts } = bench.engine;
  return asked.delivered.size + asked.triggered.size - starts.length > MOST_WAITING;
}

/** A trigger by hand has no name: one that is not answered is not tried again. */
async function triggerByHand(load: Load): Promise<void> {
  const { bench, random, asked, state } = load;
  const calls: Promise<void>[] = [];
  while (!state.ending) {
    if (isBehind(load)) {
      await delay(RETRY_MS);
      continue;
    }
    asked.open.triggers += 1;
    const answer = await bench.control("POST", "/control/trigger/caller").catch(() => undefined);
    asked.open.triggers -= 1;
    const { runId } = (answer?.body ?? {}) as { runId?: string };
    if (runId !== undefined) {
      asked.triggered.add(runId);
      calls.push(callFrom(load, runId));
    } else if (answer && answer.status !== 503) asked.strange.push(`trigger: ${answer.status}`);
    await delay(random() * 800);
  }
  await Promise.all(calls);
}

/** What a run's `al-subagent` does: one call, tried again under one name until it is answered. */
async function callFrom({ bench, random, asked }: Load, run: string): Promise<void> {
  while (bench.engine.stageOf(run) !== "running") {
    if (bench.engine.starts.includes(run)) return;
    await delay(RETRY_MS);
  }
  const secret = bench.engine.secrets.get(run) ?? "";
  const requestId = `call-${run}`;
  const body = JSON.stringify({ secret, targetAgent: "callee", context: { n: 1 }, requestId });
  const ids = new Set<string>();
  asked.called.set(requestId, ids);
  // An answer may be lost too: some ask once more although they were answered.
  for (let times = random() < 0.3 ? 2 : 1; times > 0; ) {
    asked.open.calls.add(requestId);
    const answer = await postCall(body).catch(() => undefined);
    asked.open.calls.delete(requestId);
    if (answer?.status === 403) break;
    if (answer?.status === 200) {
      ids.add(answer.callId);
      times -= 1;
    } else {
      if (answer && answer.status !== 503) asked.strange.push(`call: ${answer.status}`);
      await delay(RETRY_MS);
    }
  }
}

async function postCall(body: string): Promise<{ status: number; callId: string }> {
  const url = `http://127.0.0.1:${CONTAINER_API_PORT}/calls`;
  const response = await fetch(url, { method: "POST", body, headers: { connection: "close" } });
  const { callId = "" } = (await response.json()) as { callId?: string };
  return { status: response.status, callId };
}
