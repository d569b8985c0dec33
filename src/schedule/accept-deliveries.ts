import type { Clock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import type { NewRun } from "../core/run.ts";
import type { Trigger } from "../core/trigger.ts";
import type { DeliveryOutcome, RefusedAgent } from "../core/webhook-outcome.ts";
import type { ReceiptFacts, WebhookReceipt } from "../core/webhook-receipt.ts";

/** A delivery, with the agents it is for. */
export interface Delivery {
  readonly receipt: WebhookReceipt;
  readonly agents: readonly string[];
  readonly trigger: Trigger;
}

/** What accepting deliveries needs. */
export interface AcceptDeliveriesPorts {
  /** Durable: `accept` stores all in one transaction, and is false for each that is a duplicate. */
  readonly receipts: {
    duplicate(receipt: ReceiptFacts): Promise<boolean>;
    accept(
      deliveries: readonly { readonly receipt: WebhookReceipt; readonly runs: readonly NewRun[] }[],
    ): Promise<readonly boolean[]>;
  };
  readonly clock: Clock;
  newId(): string;
  /** How room is checked under what is live now. @throws AlError when nothing can be accepted. */
  roomCheck(): Promise<CheckRoom>;
}

/**
 * Refuses a run of an agent by an AlError, blame `transient` where it may find room later. `ahead`
 * runs of it are about to be accepted, and not in the store yet.
 */
export type CheckRoom = (agent: string, ahead: number) => Promise<void>;

/**
 * Accepts deliveries, each once, with a queued run of each of its agents that has room for one. Where
 * none has, it is refused if any may have later, and otherwise kept without runs. Either all that is
 * accepted is stored, or this throws and nothing is. No other run may be accepted meanwhile.
 */
export async function acceptDeliveries(
  ports: AcceptDeliveriesPorts,
  deliveries: readonly Delivery[],
): Promise<readonly DeliveryOutcome[]> {
  const checkRoom = await ports.roomCheck();
  const ahead = new Map<string, number>();
  const planned: (NewDelivery | Exclude<DeliveryOutcome, { kind: "accepted" }>)[] = [];
  for (const delivery of deliveries) {
    planned.push(await plan({ ...ports, checkRoom }, delivery, ahead));
  }
  const stored = await ports.receipts.accept(planned.filter((each) => each.kind === "new"));
  const results = stored.values();
  return planned.map((each) => {
    if (each.kind !== "new") return each;
    if (!results.next().value) return { kind: "duplicate" };
    return { kind: "accepted", runs: each.runs.map(({ id }) => id), refused: each.refused };
  });
}

interface NewDelivery {
  readonly kind: "new";
  readonly receipt: WebhookReceipt;
  readonly runs: readonly NewRun[];
  readonly refused: readonly RefusedAgent[];
}

type Planning = Omit<AcceptDeliveriesPorts, "roomCheck"> & { readonly checkRoom: CheckRoom };

async function plan(
  ports: Planning,
  { receipt, agents, trigger }: Delivery,
  ahead: Map<string, number>,
): Promise<NewDelivery | Exclude<DeliveryOutcome, { kind: "accepted" }>> {
  if (await ports.receipts.duplicate(receipt)) return { kind: "duplicate" };
  const refused: RefusedAgent[] = [];
  const runs: NewRun[] = [];
  let mayPass = false;
  for (const agent of agents) {
    const refusal = await refusalOf(ports, agent, ahead.get(agent) ?? 0);
    if (refusal) {
      refused.push({ agent, reason: refusal.message });
      mayPass ||= refusal.blame === "transient";
    } else {
      const key = `webhook/${receipt.id}/${agent}`;
      const createdAt = ports.clock.now();
      runs.push({ id: ports.newId(), agent, trigger, createdAt, reruns: 0, key });
    }
  }
  if (runs.length === 0 && mayPass) return { kind: "refused", refused };
  for (const { agent } of runs) ahead.set(agent, (ahead.get(agent) ?? 0) + 1);
  return { kind: "new", receipt, runs, refused };
}

async function refusalOf(
  { checkRoom }: Planning,
  agent: string,
  ahead: number,
): Promise<AlError | undefined> {
  try {
    await checkRoom(agent, ahead);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof AlError && thrown.blame !== "bug") return thrown;
    throw thrown;
  }
}
