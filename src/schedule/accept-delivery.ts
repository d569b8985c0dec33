import type { Clock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import type { NewRun } from "../core/run.ts";
import type { Trigger } from "../core/trigger.ts";
import type { DeliveryOutcome, RefusedAgent } from "../core/webhook-outcome.ts";
import type { ReceiptFacts, WebhookReceipt } from "../core/webhook-receipt.ts";

/** What accepting a delivery needs. */
export interface AcceptDeliveryPorts {
  /** Durable: `accept` stores a receipt and its runs together, and is false for a duplicate. */
  readonly receipts: {
    duplicate(receipt: ReceiptFacts): Promise<boolean>;
    accept(receipt: WebhookReceipt, runs: readonly NewRun[]): Promise<boolean>;
  };
  readonly clock: Clock;
  newId(): string;
  /** Refuses a run of an agent by an AlError: blame `transient` where it may find room later. */
  checkRoom(agent: string): Promise<void>;
}

/**
 * Accepts a delivery once, with a queued run of each of its agents that has room for one. Where none
 * has, it is refused if any may have later, and otherwise kept without runs. No other run may be
 * accepted meanwhile: to be called one at a time.
 */
export async function acceptDelivery(
  ports: AcceptDeliveryPorts,
  receipt: WebhookReceipt,
  start: { readonly agents: readonly string[]; readonly trigger: Trigger },
): Promise<DeliveryOutcome> {
  if (await ports.receipts.duplicate(receipt)) return { kind: "duplicate" };
  const refused: (RefusedAgent & { readonly mayPass: boolean })[] = [];
  const runs: NewRun[] = [];
  for (const agent of start.agents) {
    const refusal = await refusalOf(ports, agent);
    if (refusal) refused.push({ agent, ...refusal });
    else runs.push(newRun(ports, agent, { receipt, trigger: start.trigger }));
  }
  const told = refused.map(({ agent, reason }) => ({ agent, reason }));
  const isLater = runs.length === 0 && refused.some(({ mayPass }) => mayPass);
  if (isLater) return { kind: "refused", refused: told };
  if (!(await ports.receipts.accept(receipt, runs))) return { kind: "duplicate" };
  return { kind: "accepted", runs: runs.map(({ id }) => id), refused: told };
}

async function refusalOf(
  { checkRoom }: AcceptDeliveryPorts,
  agent: string,
): Promise<{ readonly reason: string; readonly mayPass: boolean } | undefined> {
  try {
    await checkRoom(agent);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof AlError) || thrown.blame === "bug") throw thrown;
    return { reason: thrown.message, mayPass: thrown.blame === "transient" };
  }
}

function newRun(
  { clock, newId }: AcceptDeliveryPorts,
  agent: string,
  { receipt, trigger }: { readonly receipt: WebhookReceipt; readonly trigger: Trigger },
): NewRun {
  const key = `webhook/${receipt.id}/${agent}`;
  return { id: newId(), agent, trigger, createdAt: clock.now(), reruns: 0, key };
}
