import { expect, it } from "vitest";
import type { NewRun } from "../../../src/core/run.ts";
import type { WebhookReceipt } from "../../../src/core/webhook-receipt.ts";
import type { WebhookReceipts } from "../../../src/gateway/webhook-ports.ts";

/** A store of receipts, and the ids of the runs it accepted. */
export interface ReceiptsBench {
  readonly receipts: WebhookReceipts;
  /** Sorted. A run of agent `broken` cannot be stored. */
  runs(): Promise<readonly string[]>;
}

const HOUR_MS = 60 * 60 * 1000;
const NOW = 100 * HOUR_MS;

/** What every store of webhook receipts does. */
export function webhookReceiptsSuite(open: () => ReceiptsBench): void {
  acceptance(open);
  duplicates(open);
  retention(open);
}

function acceptance(open: () => ReceiptsBench): void {
  it("gives a receipt back as it came, with its runs accepted", async () => {
    const { receipts, runs } = open();
    const given = receipt("01A", {
      ...{ sources: ["acme", "other"], headers: { "x-github-event": "push", "user-agent": "ü" } },
      body: Buffer.from([0, 255, 123, 10]),
    });
    expect(await accept(receipts, given, [run("1"), run("2")])).toBe(true);
    const found = await receipts.get("01A");
    expect({ ...found, body: [...(found?.body ?? [])] }).toEqual({
      ...{ ...given, body: [0, 255, 123, 10] },
    });
    expect(await runs()).toEqual(["1", "2"]);
  });

  it("keeps a delivery that is for nobody", async () => {
    const { receipts, runs } = open();
    expect(await accept(receipts, receipt("01A"), [])).toBe(true);
    expect((await receipts.get("01A"))?.id).toBe("01A");
    expect(await runs()).toEqual([]);
  });

  it("stores neither receipt nor run when one of the runs cannot be stored", async () => {
    const { receipts, runs } = open();
    const broken = { ...run("2"), agent: "broken" };
    await expect(accept(receipts, receipt("01A"), [run("1"), broken])).rejects.toThrow();
    expect(await runs()).toEqual([]);
    expect(await receipts.get("01A")).toBeUndefined();
    expect(await accept(receipts, receipt("01A"), [run("1")])).toBe(true);
    expect(await runs()).toEqual(["1"]);
  });

  it("stores several deliveries together, or none of them", async () => {
    const { receipts, runs } = open();
    const both = (agent: string) => [
      { receipt: receipt("01A", { deliveryId: "a" }), runs: [run("1")] },
      { receipt: receipt("01B", { deliveryId: "a" }), runs: [run("2")] },
      { receipt: receipt("01C", { deliveryId: "c" }), runs: [{ ...run("3"), agent }] },
    ];
    await expect(receipts.accept(both("broken"))).rejects.toThrow();
    expect([await runs(), await receipts.list({ limit: 9 })]).toEqual([[], []]);
    expect(await receipts.accept(both("dev"))).toEqual([true, false, true]);
    expect(await runs()).toEqual(["1", "3"]);
    expect(await receipts.accept([])).toEqual([]);
  });

  it("lists the newest first, without bodies", async () => {
    const { receipts } = open();
    for (const id of ["01A", "01C", "01B"]) {
      await accept(receipts, receipt(id, { deliveryId: id }), []);
    }
    const { body: _body, ...facts } = receipt("01C", { deliveryId: "01C" });
    expect((await receipts.list({ limit: 2 })).map(({ id }) => id)).toEqual(["01C", "01B"]);
    expect((await receipts.list({ limit: 1 }))[0]).toEqual(facts);
  });

  it("does not know what it was not given", async () => {
    expect(await open().receipts.get("01A")).toBeUndefined();
  });
}

function duplicates(open: () => ReceiptsBench): void {
  it("accepts a delivery once, with all its runs or none", async () => {
    const { receipts, runs } = open();
    expect(await receipts.duplicate(receipt("01A"))).toBe(false);
    expect(await accept(receipts, receipt("01A"), [run("1")])).toBe(true);
    expect(await receipts.duplicate(receipt("01B"))).toBe(true);
    expect(await accept(receipts, receipt("01B"), [run("2")])).toBe(false);
    expect(await runs()).toEqual(["1"]);
    expect(await receipts.get("01B")).toBeUndefined();
  });

  it("accepts one of many equal deliveries at the same moment", async () => {
    const { receipts, runs } = open();
    const ids = ["1", "2", "3", "4", "5"];
    const accepted = await Promise.all(
      ids.map((id) => accept(receipts, receipt(`01${id}`), [run(id)])),
    );
    expect(accepted.filter(Boolean)).toHaveLength(1);
    expect(await runs()).toHaveLength(1);
  });

  it.each([
    ["type", { type: "linear" }],
    ["source", { sources: ["other"] }],
    ["number of sources", { sources: ["acme", "other"] }],
    ["delivery id", { deliveryId: "d2" }],
  ] as const)("tells deliveries of another %s apart", async (_what, other) => {
    const { receipts } = open();
    await accept(receipts, receipt("01A"), []);
    expect(await accept(receipts, receipt("01B", other), [])).toBe(true);
  });

  it("knows a sender's id as long as the receipt is kept, and though the clock jumps", async () => {
    const { receipts } = open();
    await accept(receipts, receipt("01A"), []);
    for (const hours of [-1, 1, 24, 24 * 300]) {
      const later = receipt("01B", { receivedAt: NOW + hours * HOUR_MS });
      expect(await accept(receipts, later, [])).toBe(false);
    }
  });

  it("knows an equal body for half a day, and though the clock jumps by an hour", async () => {
    const { receipts } = open();
    const deliveryId = `sha256:${"0".repeat(64)}`;
    await accept(receipts, receipt("01A", { deliveryId }), []);
    for (const hours of [-1, 0, 1, 11.9]) {
      const again = receipt("01B", { deliveryId, receivedAt: NOW + hours * HOUR_MS });
      expect(await accept(receipts, again, [])).toBe(false);
    }
    const nextDay = receipt("01C", { deliveryId, receivedAt: NOW + 24 * HOUR_MS });
    expect(await accept(receipts, nextDay, [])).toBe(true);
    const again = receipt("01D", { deliveryId, receivedAt: NOW + 25 * HOUR_MS });
    expect(await accept(receipts, again, [])).toBe(false);
  });
}

function retention(open: () => ReceiptsBench): void {
  it("forgets receipts from before a time", async () => {
    const { receipts, runs } = open();
    await accept(receipts, receipt("01A", { deliveryId: "a", receivedAt: 1 }), [run("1")]);
    await accept(receipts, receipt("01B", { deliveryId: "b", receivedAt: 2 }), []);
    await receipts.prune({ since: 2, bodyBytes: 1000, limit: 9 });
    expect((await receipts.list({ limit: 9 })).map(({ id }) => id)).toEqual(["01B"]);
    expect(await receipts.get("01A")).toBeUndefined();
    expect(await runs()).toEqual(["1"]);
    expect(await accept(receipts, receipt("01C", { deliveryId: "a", receivedAt: 3 }), [])).toBe(
      true,
    );
  });

  it("forgets only so much at a time, and tells whether there may be more", async () => {
    const { receipts } = open();
    const ids = ["01A", "01B", "01C", "01D"];
    for (const [index, id] of ids.entries()) {
      const body = Buffer.alloc(10, 1);
      await accept(receipts, receipt(id, { deliveryId: id, receivedAt: index, body }), []);
    }
    const turn = () => receipts.prune({ since: 2, bodyBytes: 10, limit: 1 });
    const left = async () => (await receipts.list({ limit: 9 })).map(({ id }) => id);
    expect(await turn()).toBe(true);
    expect(await left()).toEqual(["01D", "01C", "01B"]);
    expect(await turn()).toBe(true);
    expect(await left()).toEqual(["01D", "01C"]);
    expect(await turn()).toBe(false);
    expect(await left()).toEqual(["01D", "01C"]);
    expect((await receipts.get("01D"))?.id).toBe("01D");
    expect(await receipts.get("01C")).toBeUndefined();
  });

  it("drops the oldest bodies, and still knows their deliveries", async () => {
    const { receipts } = open();
    for (const id of ["01A", "01B", "01C"]) {
      await accept(receipts, receipt(id, { deliveryId: id, body: Buffer.alloc(10, 1) }), []);
    }
    await receipts.prune({ since: 0, bodyBytes: 20, limit: 9 });
    const kept = await Promise.all(["01A", "01B", "01C"].map((id) => receipts.get(id)));
    expect(kept.map((each) => each?.id)).toEqual([undefined, "01B", "01C"]);
    expect(await receipts.list({ limit: 9 })).toHaveLength(3);
    expect(await accept(receipts, receipt("01D", { deliveryId: "01A" }), [])).toBe(false);
  });
}

/** Accepts one delivery by itself. */
async function accept(
  receipts: WebhookReceipts,
  receipt: WebhookReceipt,
  runs: readonly NewRun[],
): Promise<boolean | undefined> {
  return (await receipts.accept([{ receipt, runs }]))[0];
}

function receipt(id: string, more: Partial<WebhookReceipt> = {}): WebhookReceipt {
  return {
    ...{ id, type: "github", sources: ["acme"], deliveryId: "d1", receivedAt: NOW },
    ...{ headers: {}, body: Buffer.from("{}") },
    ...more,
  };
}

function run(id: string): NewRun {
  const trigger = { kind: "webhook", source: "github", context: { event: "push" } } as const;
  return { id, agent: "dev", trigger, createdAt: NOW, reruns: 0, key: `webhook/${id}` };
}
