import type { Json } from "../base/canonical-json.ts";
import { AlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import { splitTrigger } from "../core/trigger.ts";
import { createRoomCheck, type Terms } from "./accept.ts";
import type { LiveRelease } from "./ports.ts";
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
 * @throws AlError `self-call`, `call-depth`, `unknown-agent`, `agent-disabled`, `over-budget` (user), `queue-full` (transient).
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
  checkCall(caller, { target, depth }, terms.release);
  await createRoomCheck({ store, clock }, terms)(target, 0);
  const by = { caller: caller.agent, callerRun: caller.id };
  const trigger = { kind: "call", ...by, depth, context } as const;
  const run = { id, agent: target, createdAt: clock.now(), reruns: 0 };
  await store.accept({ ...run, trigger, ...(key !== undefined && { key }) });
  return { ...run, trigger: splitTrigger(trigger).facts, state: "queued" };
}

function checkCall(
  caller: Run,
  { target, depth }: { readonly target: string; readonly depth: number },
  release: LiveRelease,
): void {
  if (target === caller.agent) {
    throw new AlError("an agent cannot call itself", { code: "self-call", blame: "user" });
  }
  const { maxCallDepth } = release.project;
  if (depth <= maxCallDepth) return;
  const message = `the call would be ${depth} deep, and maxCallDepth is ${maxCallDepth}`;
  throw new AlError(message, { code: "call-depth", blame: "user" });
}

function depthOf({ trigger }: Run): number {
  return trigger.kind === "call" ? trigger.depth : 0;
}
