import fc from "fast-check";
import { encodeTime } from "ulid";
import { hasCode } from "../../src/base/errors.ts";
import type { NewRun } from "../../src/core/run.ts";
import type { Trigger } from "../../src/core/trigger.ts";
import type { WebhookReceipt } from "../../src/core/webhook-receipt.ts";
import type { Storage } from "./storage.ts";

/** When the first of the runs was accepted, ms since the epoch; each later one a second after. */
const BEGIN = 1_000_000;
const SECOND = 1000;
/** Runs that may come to be; the ids sort by time. */
const IDS = [0, 1, 2, 3, 4].map((n) => `${encodeTime(BEGIN + n * SECOND)}${"0".repeat(16)}`);
const KEYS = ["schedule/dev/1", "call/x/1"];
const LOCKS = ["a", "b"];
const AGENTS = ["dev", "tester"];
const RECEIPTS = ["01A", "01B", "01C"];

const run = fc.nat(IDS.length - 1);
const when = fc.nat({ max: 20 });

/** One call of a port; `kind` says which, and the rest with what. */
export const step = fc.record({
  kind: fc.constantFrom(
    ...(["accept", "accept", "accept", "deliver", "starting", "starting", "requeue"] as const),
    ...(["running", "running", "made", "used", "killing", "finished", "finished"] as const),
    ...(["askRerun", "setStatus", "setReturnValue", "acquire", "acquire", "release"] as const),
    ...(["heartbeat", "restore", "forget", "forgetReturnValues", "prune", "compact"] as const),
    ...(["hold", "lift", "tick", "keepTicks", "finishQueued"] as const),
  ),
  run,
  other: run,
  key: fc.nat(2),
  lock: fc.nat(LOCKS.length - 1),
  at: when,
  flag: fc.boolean(),
});
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Makes the call. What it came to, an error's code included; undefined where it would make no sense. */
export async function perform(storage: Storage, each: Step): Promise<unknown> {
  try {
    return await call(storage, each);
  } catch (thrown) {
    if (hasCode(thrown, "run-state")) return "run-state";
    throw thrown;
  }
}

async function call(storage: Storage, each: Step): Promise<unknown> {
  const { runs, signals, upkeep } = storage;
  const [id, now] = [idOf(each.run), BEGIN + each.at * SECOND];
  switch (each.kind) {
    case "accept":
      return (await runs.get(id)) ? undefined : runs.accept(newRun(each));
    case "deliver":
      return deliver(storage, each);
    case "starting":
      return runs.starting(id, { ...startOf(id), secretHash: `hash-${id}` });
    case "requeue":
      return runs.requeue(id);
    case "running":
      return runs.running(id, now);
    case "made":
      return runs.made(id, { imageId: `sha256:${each.at}`, credentialVersions: { "a:b": "1" } });
    case "used":
      return runs.used(id, usage(each.at));
    case "finishQueued":
      return runs.finishQueued("dev", { outcome: "cancelled", endedAt: now }, each.lock + 1);
    case "killing":
      return runs.killing(id, { reason: "killed", ...(each.flag && { detail: "x" }) });
    case "finished":
      return finish(storage, each);
    case "askRerun":
      return signals.askRerun(id);
    case "setStatus":
      return signals.setStatus(id, `at ${each.at}`);
    case "setReturnValue":
      return signals.setReturnValue(id, { at: each.at });
    case "restore":
      return upkeep.restore({
        ...{ id, agent: "dev", createdAt: BEGIN, startedAt: now, start: startOf(id) },
      });
    case "forget":
      return upkeep.forget([id, idOf(each.other)]);
    case "forgetReturnValues":
      return upkeep.forgetReturnValues({ before: now, limit: 100 });
    case "compact":
      return upkeep.compact();
    case "prune":
      return storage.receipts.prune({ since: now, bodyBytes: 3, limit: 1 });
    case "acquire":
    case "release":
    case "heartbeat":
      return lock(storage, each, now);
    default:
      return schedule(storage, each, now);
  }
}

async function lock({ locks }: Storage, each: Step, now: number): Promise<unknown> {
  const resourceKey = LOCKS[each.lock] ?? "";
  const request = { run: idOf(each.run), resourceKey, now, expiresAt: now + 5 * SECOND };
  if (each.kind === "acquire") return locks.acquire(request);
  return each.kind === "release" ? locks.release(request) : locks.heartbeat(request);
}

async function schedule({ holds, ticks }: Storage, each: Step, now: number): Promise<unknown> {
  const agent = AGENTS[each.lock] ?? "";
  const hold = { kind: "paused", ...(each.flag && { agent }) } as const;
  if (each.kind === "hold") return holds.put(hold, { since: now, by: "ann" });
  if (each.kind === "lift") return holds.lift(hold);
  if (each.kind === "tick") return ticks.handled(agent, { schedule: "* * * * *", until: now });
  return ticks.keep(new Set(each.flag ? [agent] : AGENTS));
}

async function deliver({ receipts, runs }: Storage, each: Step): Promise<unknown> {
  const id = RECEIPTS[each.key] ?? "";
  const wanted = [each.run, ...(each.other === each.run ? [] : [each.other])];
  const isNew = await Promise.all(wanted.map(async (n) => !(await runs.get(idOf(n)))));
  if (isNew.includes(false) || (await receipts.list({ limit: 9 })).some((one) => one.id === id)) {
    return undefined;
  }
  const receipt: WebhookReceipt = {
    ...({ id, type: "github", sources: ["acme"], headers: {} } as const),
    ...{ deliveryId: `d${each.lock}`, receivedAt: BEGIN + each.at * SECOND },
    body: Buffer.from(`${each.at}`),
  };
  const accepted = wanted.map((n) => newRun({ ...each, run: n, key: 2 }));
  return receipts.accept([{ receipt, runs: accepted }]);
}

async function finish({ runs }: Storage, each: Step): Promise<unknown> {
  const endedAt = BEGIN + each.at * SECOND;
  const end = { outcome: each.flag ? "rerun" : "completed", endedAt } as const;
  const isFree = each.other !== each.run && !(await runs.get(idOf(each.other)));
  const rerun = { ...newRun({ ...each, run: each.other }), rerunOf: idOf(each.run) };
  return runs.finished(idOf(each.run), end, each.flag && isFree ? rerun : undefined);
}

function newRun(each: Step): NewRun {
  const id = idOf(each.run);
  const key = KEYS[each.key];
  const callerRun = idOf(each.other);
  const called = { kind: "call", caller: "dev", callerRun, depth: 1, context: { n: 1 } } as const;
  const trigger: Trigger = each.flag ? called : { kind: "manual" };
  const createdAt = BEGIN + each.run * SECOND;
  return { id, agent: "dev", trigger, createdAt, reruns: 0, ...(key !== undefined && { key }) };
}

/** Everything that can be asked of a storage, as far as these steps can change it. */
export async function contents(storage: Storage): Promise<unknown> {
  const { runs, signals, locks, receipts, upkeep, holds, ticks } = storage;
  const now = BEGIN + 10 * SECOND;
  const known = await runs.list({ limit: 100 });
  return {
    known,
    ofAgent: await runs.list({ agent: "dev", limit: 3 }),
    each: await Promise.all(IDS.map((id) => runs.get(id))),
    unfinished: await runs.unfinished(),
    triggers: await Promise.all(known.map(({ id }) => runs.trigger(id))),
    byKey: await Promise.all(KEYS.map((key) => runs.byKey(key))),
    bySecret: await Promise.all(IDS.map((id) => runs.bySecret(`hash-${id}`))),
    active: await runs.active(),
    heads: await runs.heads(),
    queued: await runs.countQueued({ agent: "dev" }),
    calls: await runs.hasQueued("dev", "call"),
    called: await Promise.all(IDS.map((id) => runs.calledBy(id))),
    used: await runs.usedSince("dev", now),
    returned: await Promise.all(IDS.map((id) => signals.returnValue(id))),
    locks: await locks.list(now),
    held: await Promise.all(IDS.map((id) => locks.heldBy(id, now))),
    receipts: await receipts.list({ limit: 9 }),
    bodies: await Promise.all(
      RECEIPTS.map(async (id) => Buffer.from((await receipts.get(id))?.body ?? []).toString()),
    ),
    holds: await holds.list(),
    ticks: await Promise.all(AGENTS.map((agent) => ticks.handledUntil(agent, "* * * * *"))),
    forgettable: await upkeep.forgettable({ before: now, limit: 9 }),
  };
}

function idOf(n: number): string {
  return IDS[n] ?? "";
}

function startOf(id: string) {
  return {
    ...{ revision: "r", release: "release", image: "image", credentials: "set" },
    ...{ container: `run-${id}`, timeoutSeconds: 60 },
  };
}

function usage(n: number) {
  const tokens = { inputTokens: n, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
  return { ...tokens, totalTokens: n, cost: 0, turnCount: 1 };
}
