import { setImmediate as turn } from "node:timers/promises";
import type { DeliveryOutcome } from "../core/webhook-outcome.ts";
import {
  type AcceptDeliveriesPorts,
  acceptDeliveries,
  type Delivery,
} from "./accept-deliveries.ts";

/** What the queue needs; `exclusive` runs work while no other run is accepted. */
export interface DeliveryQueuePorts extends AcceptDeliveriesPorts {
  exclusive<T>(work: () => Promise<T>): Promise<T>;
}

/** Takes deliveries; what comes at the same moment is stored by one transaction. */
export interface DeliveryQueue {
  /** Durable when resolved. */
  accept(delivery: Delivery): Promise<DeliveryOutcome>;
}

interface Waiting {
  readonly delivery: Delivery;
  readonly resolve: (outcome: DeliveryOutcome) => void;
  readonly reject: (reason: unknown) => void;
}

/** Bounds how long other work waits for one transaction. */
const MAX_AT_ONCE = 50;
/** A request takes some turns from its connection to its delivery. */
const QUIET_TURNS = 4;

/** Waiting for the disk is what a delivery costs most: many share one wait. */
export function createDeliveryQueue(ports: DeliveryQueuePorts): DeliveryQueue {
  const waiting: Waiting[] = [];
  const drain = async () => {
    if (waiting.length === 0) return;
    await untilQuiet(waiting);
    await acceptTogether(ports, waiting.splice(0, MAX_AT_ONCE));
  };
  return {
    accept(delivery) {
      return new Promise((resolve, reject) => {
        waiting.push({ delivery, resolve, reject });
        ports.exclusive(drain).catch(reject);
      });
    },
  };
}

/**
 * Until nothing more arrives. Node lets in one new connection at each turn of its loop: waiting for one
 * turn only would give each delivery a transaction of its own.
 */
async function untilQuiet(waiting: readonly Waiting[]): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS && waiting.length < MAX_AT_ONCE; ) {
    const before = waiting.length;
    await turn();
    quiet = waiting.length > before ? 0 : quiet + 1;
  }
}

/** What fails together is tried one by one: nobody is refused for another's sake. */
async function acceptTogether(
  ports: AcceptDeliveriesPorts,
  batch: readonly Waiting[],
): Promise<void> {
  try {
    const outcomes = await acceptDeliveries(
      ports,
      batch.map(({ delivery }) => delivery),
    );
    for (const [index, outcome] of outcomes.entries()) batch[index]?.resolve(outcome);
  } catch (thrown) {
    const [first, ...others] = batch;
    if (others.length === 0) return first?.reject(thrown);
    for (const one of batch) await acceptTogether(ports, [one]);
  }
}
