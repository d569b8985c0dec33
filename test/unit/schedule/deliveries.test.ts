import { expect, it } from "vitest";
import type { Delivery } from "../../../src/schedule/accept-deliveries.ts";
import { RUN_MIGRATIONS } from "../../../src/state/run-schema.ts";
import { createRunStore } from "../../../src/state/run-store.ts";
import { openDatabase } from "../../../src/state/sqlite.ts";
import { createWebhookReceipts } from "../../../src/state/webhook-receipts.ts";
import { agent, createWorld, release } from "./harness.ts";

/** A scheduler whose runs and receipts are in one real database. */
function open() {
  const database = openDatabase(":memory:", RUN_MIGRATIONS);
  const store = createRunStore(database);
  const receipts = createWebhookReceipts(database, store.enqueue);
  const world = createWorld({ store, receipts });
  return { world, receipts, scheduler: world.open() };
}

function delivery(deliveryId: string, agents: readonly string[] = ["dev"]): Delivery {
  const receipt = {
    ...({ id: `receipt-${deliveryId}`, type: "github", sources: ["acme"], deliveryId } as const),
    ...{ receivedAt: 0, headers: {}, body: Buffer.from("{}") },
  };
  const context = { title: `issue ${deliveryId}` };
  return { receipt, agents, trigger: { kind: "webhook", source: "github", context } };
}

const many = (count: number) => Array.from({ length: count }, (_, index) => delivery(`${index}`));

it("starts a run with what the delivery said, and none for the same delivery again", async () => {
  const { world, scheduler } = open();
  await scheduler.start();
  const first = await scheduler.deliver(delivery("1"));
  expect(first).toMatchObject({ kind: "accepted", refused: [] });
  expect(await scheduler.deliver(delivery("1"))).toEqual({ kind: "duplicate" });
  const [id = ""] = first.kind === "accepted" ? first.runs : [];
  expect(await world.store.trigger(id)).toEqual(delivery("1").trigger);
  await world.clock.advance(1000);
  expect(await world.history()).toEqual(["dev webhook completed"]);
});

it("holds deliveries that come together to the queue's size, like everything else", async () => {
  const { world, scheduler } = open();
  world.ready = false;
  world.release = release([agent("dev")], { workQueueSize: 3 });
  await scheduler.start();
  await scheduler.trigger("dev");
  const outcomes = await Promise.all(many(4).map(scheduler.deliver));
  expect(outcomes.map(({ kind }) => kind)).toEqual([
    ...["accepted", "accepted", "refused", "refused"],
  ]);
  await expect(scheduler.trigger("dev")).rejects.toMatchObject({ code: "queue-full" });
});

it("starts no run beyond the budget of the day, and keeps the delivery for a replay", async () => {
  const { world, receipts, scheduler } = open();
  world.ready = false;
  world.release = release([agent("dev", { limits: { maxRunsPerDay: 2 } })]);
  await scheduler.start();
  const outcomes = await Promise.all(many(3).map(scheduler.deliver));
  expect(outcomes.map((one) => one.kind === "accepted" && one.runs.length)).toEqual([1, 1, 0]);
  expect(outcomes.at(-1)).toMatchObject({
    refused: [{ agent: "dev", reason: expect.stringContaining("over its budget") }],
  });
  expect(await receipts.get("receipt-2")).toBeDefined();
});

it("stores nothing once another runtime is live, not even what is for nobody", async () => {
  const { world, receipts, scheduler } = open();
  await scheduler.start();
  world.release = undefined;
  for (const agents of [["dev"], []]) {
    await expect(scheduler.deliver(delivery("1", agents))).rejects.toMatchObject({
      ...{ code: "not-serving", blame: "transient" },
    });
  }
  await scheduler.stop();
  await expect(scheduler.deliver(delivery("2", []))).rejects.toMatchObject({ code: "not-serving" });
  expect(await receipts.list({ limit: 9 })).toEqual([]);
  expect(await world.history()).toEqual([]);
});
