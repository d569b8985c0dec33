import { afterEach, beforeEach, expect, it } from "vitest";
import { issueLabeled } from "../core/webhook-fixtures.ts";
import {
  hmac,
  listener,
  openWebhookWorld,
  queueFull,
  source,
  type WebhookWorld,
} from "./webhook-world.ts";

let world: WebhookWorld;
beforeEach(async () => {
  world = await openWebhookWorld();
});
afterEach(() => world.dispose());

/** Sends one delivery and gives its receipt's id. */
async function received(): Promise<string> {
  const headers = { "x-github-event": "issues", "x-github-delivery": "d1" };
  const body = JSON.stringify(issueLabeled);
  await world.send("/webhooks/github", { body, headers, signedWith: "s3cret" });
  const [receipt] = await world.receipts.list({ limit: 1 });
  return receipt?.id ?? "";
}

async function ask(path: string, method = "GET") {
  const response = await world.control.request(path, { method });
  return { status: response.status, body: await response.json() };
}

it("lists receipts, the newest first", async () => {
  const id = await received();
  const answer = await ask("/control/webhooks?limit=5");
  expect(answer).toEqual({
    status: 200,
    body: {
      receipts: [
        {
          ...{ id, type: "github", sources: ["acme"], deliveryId: "d1" },
          receivedAt: world.clock.now(),
          headers: expect.objectContaining({ "x-github-event": "issues" }),
        },
      ],
    },
  });
});

it("starts the same run again, as often as it is asked", async () => {
  const id = await received();
  for (const count of [2, 3]) {
    const answer = await ask(`/control/webhooks/${id}/replay`, "POST");
    expect(answer).toEqual({
      status: 202,
      body: { runs: [expect.any(String)], refused: [], duplicate: false },
    });
    expect(world.runs()).toHaveLength(count);
  }
  const [first, ...others] = world.runs();
  expect(others).toEqual([first, first]);
});

it("carries one request out once, though it is sent again", async () => {
  const path = `/control/webhooks/${await received()}/replay?request=r1`;
  await ask(path, "POST");
  const again = await ask(path, "POST");
  expect(again.body).toEqual({ runs: [], refused: [], duplicate: true });
  expect(world.runs()).toHaveLength(2);
});

it("goes by the filters that are live now", async () => {
  const id = await received();
  const sources = world.state.live?.sources ?? [];
  world.state.live = { sources, listeners: [listener("clerk", "acme", { labels: ["bug"] })] };
  await ask(`/control/webhooks/${id}/replay`, "POST");
  expect(world.runs().map(({ agent }) => agent)).toEqual(["triage", "clerk"]);
});

it("tells why an agent got no run", async () => {
  const id = await received();
  world.state.refusals.set("triage", queueFull("triage"));
  const answer = await ask(`/control/webhooks/${id}/replay`, "POST");
  expect(answer.body).toEqual({
    ...{ runs: [], duplicate: false },
    refused: [{ agent: "triage", reason: "agent triage has 100 runs waiting" }],
  });
});

it("reads a generic delivery without the headers of a source that is gone", async () => {
  const headers = { signature: "x-sign", event: "x-event" };
  const format = { type: "generic", headers } as const;
  const listeners = [listener("clerk", "forge")];
  world.state.live = { sources: [source("forge", format, { secrets: ["k"] })], listeners };
  const body = '{"event":"deploy"}';
  const sent = { body, headers: { "x-sign": hmac(body, "k"), "x-event": "rollout" } };
  await world.send("/webhooks/generic", sent);
  world.state.live = { sources: [], listeners };
  const [receipt] = await world.receipts.list({ limit: 1 });
  await ask(`/control/webhooks/${receipt?.id}/replay`, "POST");
  expect(world.runs().map(({ trigger }) => trigger)).toMatchObject([
    { context: { event: "rollout" } },
    { context: { event: "deploy" } },
  ]);
});

it("refuses what it cannot do, with a code", async () => {
  const id = await received();
  expect(await ask("/control/webhooks/nobody/replay", "POST")).toMatchObject({
    ...{ status: 404, body: { code: "unknown-receipt" } },
  });
  expect(await ask("/control/webhooks?limit=many")).toMatchObject({
    ...{ status: 400, body: { code: "bad-request" } },
  });
  world.state.live = undefined;
  expect(await ask(`/control/webhooks/${id}/replay`, "POST")).toMatchObject({
    ...{ status: 503, body: { code: "not-serving" } },
  });
});
