import { expect, it } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import type { NewRun } from "../../../src/core/run.ts";
import type { Delivery } from "../../../src/schedule/accept-deliveries.ts";
import { createDeliveryQueue } from "../../../src/schedule/delivery-queue.ts";
import { createSerial } from "../../../src/schedule/serial.ts";
import { createMemoryWebhookReceipts } from "../state/memory-webhook-receipts.ts";
import { SimulatedClock } from "./simulated-clock.ts";

/** A queue over memory where each agent may have so many runs; those of `broken` cannot be stored. */
function open(size = 1000) {
  const stored: NewRun[] = [];
  const receipts = createMemoryWebhookReceipts((runs) => {
    if (runs.some(({ agent }) => agent === "broken")) throw new TypeError("cannot be stored");
    stored.push(...runs);
  });
  let ids = 0;
  const queue = createDeliveryQueue({
    ...{ receipts, clock: new SimulatedClock(), newId: () => `run-${++ids}` },
    exclusive: createSerial(),
    roomCheck: async () => async (agent, ahead) => {
      const waiting = stored.filter((run) => run.agent === agent).length + ahead;
      if (waiting < size && agent !== "disabled") return;
      const blame = agent === "disabled" ? "user" : "transient";
      throw new AlError(`no room for ${agent}`, { code: "no-room", blame });
    },
  });
  return { queue, receipts, stored };
}

function delivery(deliveryId: string, agents: readonly string[] = ["dev"]): Delivery {
  const receipt = {
    ...({ id: `receipt-${deliveryId}`, type: "github", sources: ["acme"], deliveryId } as const),
    ...{ receivedAt: 0, headers: {}, body: Buffer.from("{}") },
  };
  return { receipt, agents, trigger: { kind: "webhook", source: "github", context: {} } };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

it("accepts all that come at once, each with its runs", async () => {
  const { queue, receipts, stored } = open();
  const outcomes = await Promise.all(
    numbers(200).map((id) => queue.accept(delivery(id, ["dev", "clerk"]))),
  );
  expect(outcomes.map((each) => each.kind === "accepted" && each.runs.length)).toEqual(
    Array(200).fill(2),
  );
  expect(stored).toHaveLength(400);
  expect(new Set(stored.map(({ key }) => key)).size).toBe(400);
  expect(await receipts.list({ limit: 1000 })).toHaveLength(200);
});

it("never lets more into an agent's queue than it holds, though they come at once", async () => {
  const { queue, receipts, stored } = open(7);
  const outcomes = await Promise.all(numbers(20).map((id) => queue.accept(delivery(id))));
  expect(outcomes.map(({ kind }) => kind)).toEqual([
    ...Array(7).fill("accepted"),
    ...Array(13).fill("refused"),
  ]);
  expect(stored).toHaveLength(7);
  expect(await receipts.list({ limit: 1000 })).toHaveLength(7);
});

it("accepts one of the same deliveries that come at once", async () => {
  const { queue, stored } = open();
  const outcomes = await Promise.all(numbers(5).map(() => queue.accept(delivery("1"))));
  expect(outcomes.filter(({ kind }) => kind === "duplicate")).toHaveLength(4);
  expect(stored).toHaveLength(1);
});

it("fails what cannot be stored, and nothing that came with it", async () => {
  const { queue, stored } = open();
  const results = await Promise.allSettled(
    [delivery("1"), delivery("2", ["clerk", "broken"]), delivery("3")].map(queue.accept),
  );
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(stored.map(({ agent }) => agent)).toEqual(["dev", "dev"]);
});

it("keeps a delivery without runs only when waiting would not help", async () => {
  const { queue, receipts } = open(0);
  const refused = [{ agent: "dev", reason: "no room for dev" }];
  expect(await queue.accept(delivery("1"))).toEqual({ kind: "refused", refused });
  expect(await queue.accept(delivery("2", ["disabled"]))).toMatchObject({ kind: "accepted" });
  expect(await queue.accept(delivery("3", []))).toEqual({
    ...{ kind: "accepted", runs: [], refused: [] },
  });
  const kept = await receipts.list({ limit: 9 });
  expect(kept.map(({ deliveryId }) => deliveryId)).toEqual(["3", "2"]);
});
