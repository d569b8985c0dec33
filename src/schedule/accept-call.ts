import type { Json } from "../base/canonical-json.ts";
import { AlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import { splitTrigger } from "../core/trigger.ts";
import { createRoomCheck, type Terms } from "./accept.ts";
import type { LiveRelease, RunStore } from "./ports.ts";
import type { RunQueuePorts } from "./run-queue.ts";

/** What a run asks of another agent. */
export interface CallRequest {
  readonly target: string;
  readonly context: Json;
  /** The same for each attempt at one call: only the first makes a run. */
  readonly requestId?: string;
}

/**
 * Stores a call as a queued run of the target. Given a request id that was accepted before, it returns
 * that run.
 * @throws AlError `self-call`, `call-cycle`, `call-depth`, `unknown-agent`, `agent-disabled`, `over-budget` (user), `queue-full` (transient).
 */
export async function acceptCall(
  { store, clock }: RunQueuePorts,
  request: CallRequest & { readonly caller: Run; readonly id: string },
  terms: Terms,
): Promise<Run> {
  const { caller, target, context, requestId, id } = request;
  const key = requestId === undefined ? undefined : `call/${caller.id}/${requestId}`;
  const known = key === undefined ? undefined : await store.byKey(key);
  if (known) return known;
  const depth = depthOf(caller) + 1;
  checkDepth(depth, terms.release);
  await checkCycle(store, caller, target);
  await createRoomCheck({ store, clock }, terms)(target, 0);
  const by = { caller: caller.agent, callerRun: caller.id };
  const trigger = { kind: "call", ...by, depth, context } as const;
  const run = { id, agent: target, createdAt: clock.now(), reruns: 0 };
  await store.accept({ ...run, trigger, ...(key !== undefined && { key }) });
  return { ...run, trigger: splitTrigger(trigger).facts, state: "queued" };
}

/** Refuses what each caller would wait for in a circle: only callers that are under way count. */
async function checkCycle(
  store: Pick<RunStore, "get">,
  caller: Run,
  target: string,
): Promise<void> {
  if (target === caller.agent) {
    throw new AlError("an agent cannot call itself", { code: "self-call", blame: "user" });
  }
  const chain = [caller.agent, target];
  for (let { trigger } = caller; trigger.kind === "call"; ) {
    const above = await store.get(trigger.callerRun);
    if (!above) return;
    chain.unshift(above.agent);
    if (above.agent === target && above.state !== "finished") {
      const message = `the call would go in a circle: ${chain.join(" -> ")}`;
      throw new AlError(message, { code: "call-cycle", blame: "user" });
    }
    trigger = above.trigger;
  }
}

function checkDepth(depth: number, { project: { maxCallDepth } }: LiveRelease): void {
  if (depth <= maxCallDepth) return;
  const message = `the call would be ${depth} deep, and maxCallDepth is ${maxCallDepth}`;
  throw new AlError(message, { code: "call-depth", blame: "user" });
}

function depthOf({ trigger }: Run): number {
  return trigger.kind === "call" ? trigger.depth : 0;
}
