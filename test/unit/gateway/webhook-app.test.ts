import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import * as fixtures from "../core/webhook-fixtures.ts";
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

const BODY = JSON.stringify(fixtures.issueLabeled);
const issue = (delivery: string, body = BODY) => ({
  ...{ body, signedWith: "s3cret" },
  headers: { "x-github-event": "issues", "x-github-delivery": delivery },
});

describe("a signed delivery", () => {
  it("starts one run of each agent that it is for, with what it says", async () => {
    world.state.live = {
      sources: [source("acme", "github", { secrets: ["other", "s3cret"] })],
      listeners: [
        listener("triage", "acme", { events: ["issues"], labels: ["triage"] }),
        listener("triage", "acme", { repos: ["acme/app"] }),
        listener("reader", "acme", { events: ["release"] }),
        listener("clerk", "acme"),
      ],
    };
    const answer = await world.send("/webhooks/github", issue("d1"));
    expect([answer.status, answer.body]).toEqual([200, { ok: true, matched: 2, skipped: 1 }]);
    expect(world.runs().map(({ agent }) => agent)).toEqual(["clerk", "triage"]);
    expect(world.runs()[1]?.trigger).toMatchObject({
      ...{ kind: "webhook", source: "github" },
      context: { event: "issues", action: "labeled", repo: "acme/app", number: 42 },
    });
  });

  it("is kept as it came, without its signature", async () => {
    await world.send("/webhooks/github/acme", issue("d1"));
    const [facts] = await world.receipts.list({ limit: 9 });
    expect(facts).toMatchObject({ type: "github", sources: ["acme"], deliveryId: "d1" });
    expect(JSON.stringify(facts)).not.toContain("signature");
    const receipt = await world.receipts.get(facts?.id ?? "");
    expect(Buffer.from(receipt?.body ?? []).toString()).toBe(BODY);
  });

  it("is accepted once, though it comes many times at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => world.send("/webhooks/github", issue("d1"))),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(answers.filter(({ body }) => (body as { matched: number }).matched === 1)).toHaveLength(
      1,
    );
    const again = await world.send("/webhooks/github", issue("d1"));
    expect(again.body).toEqual({ ok: true, matched: 0, skipped: 0, duplicate: true });
    expect(world.runs()).toHaveLength(1);
  });

  it("is another one with another id, and the same without one", async () => {
    await world.send("/webhooks/github", issue("d1"));
    await world.send("/webhooks/github", issue("d2"));
    expect(world.runs()).toHaveLength(2);
    const unnamed = { body: BODY, signedWith: "s3cret", headers: { "x-github-event": "issues" } };
    await world.send("/webhooks/github", unnamed);
    await world.send("/webhooks/github", unnamed);
    expect(world.runs()).toHaveLength(3);
  });

  it("starts nobody when nobody listens for it", async () => {
    const { live } = world.state;
    world.state.live = {
      sources: live?.sources ?? [],
      listeners: [listener("triage", "acme", { events: ["push"] }), listener("far", "other")],
    };
    const answer = await world.send("/webhooks/github", issue("d1"));
    expect(answer.body).toEqual({ ok: true, matched: 0, skipped: 1 });
    expect(await world.receipts.list({ limit: 9 })).toHaveLength(1);
  });
});

describe("every kind of sender", () => {
  const forge = {
    type: "generic",
    headers: { signature: "X-Gitea-Signature", delivery: "X-Gitea-Delivery" },
  } as const;
  it.each([
    ["sentry", fixtures.sentryIssue, "sentry-hook-signature", "request-id"],
    ["linear", fixtures.linearIssue, "linear-signature", "linear-delivery"],
    ["mintlify", fixtures.mintlifyBuild, "mintlify-signature", undefined],
    ["mintlify", fixtures.mintlifyBuild, "x-mintlify-signature", undefined],
    ["generic", { event: "deploy" }, "x-gitea-signature", "x-gitea-delivery"],
  ] as const)("%s is let in by its own header", async (type, payload, header, id) => {
    world.state.live = {
      sources: [source("from", type === "generic" ? forge : type, { secrets: ["k"] })],
      listeners: [listener("triage", "from")],
    };
    const body = JSON.stringify(payload);
    const sending = (delivery: string, secret: string) => ({
      body,
      headers: { ...(id && { [id]: delivery }), [header]: hmac(body, secret) },
    });
    expect((await world.send(`/webhooks/${type}`, sending("1", "no"))).status).toBe(401);
    const first = await world.send(`/webhooks/${type}`, sending("1", "k"));
    expect(first.body).toEqual({ ok: true, matched: 1, skipped: 0 });
    const again = await world.send(`/webhooks/${type}/from`, sending("1", "k"));
    expect(again.body).toMatchObject({ matched: 0, duplicate: true });
    const next = await world.send(`/webhooks/${type}`, sending("2", "k"));
    expect(next.body).toMatchObject({ matched: id === undefined ? 0 : 1 });
  });
});

describe("a delivery is refused", () => {
  it.each([
    ["signed with another secret", { ...issue("d1"), signedWith: "other" }],
    ["not signed", { body: BODY }],
    [
      "signed for other bytes",
      { body: `${BODY} `, headers: { "x-hub-signature-256": `sha256=${hmac(BODY, "s3cret")}` } },
    ],
    ["signed by nonsense", { body: BODY, headers: { "x-hub-signature-256": "sha256=x" } }],
    ["not signed, and no JSON either", { body: "{" }],
  ])("when it is %s", async (_what, sending) => {
    await expectRefusal(await world.send("/webhooks/github", sending), 401, "bad-signature");
  });

  it.each([
    ["is no JSON", '{"a":'],
    ["is a list", "[1]"],
    ["is empty", ""],
    ["is nested deeper than anybody writes", "[".repeat(100_000)],
    ["is no text", Buffer.from([0x7b, 0xff])],
  ])("when its body %s", async (_what, body) => {
    const sending = { body, signedWith: "s3cret" };
    await expectRefusal(await world.send("/webhooks/github", sending), 400, "bad-body");
  });

  it.each([
    ["/webhooks/gitlab", "unknown-type"],
    ["/webhooks/constructor", "unknown-type"],
    ["/webhooks/linear", "unknown-source"],
    ["/webhooks/github/other", "unknown-source"],
    ["/webhooks/linear/acme", "unknown-source"],
    ["/webhooks", "not-found"],
    ["/webhooks/github/acme/more", "not-found"],
  ])("when it goes to %s", async (path, code) => {
    await expectRefusal(await world.send(path, issue("d1")), 404, code);
  });

  it("when it is not a POST", async () => {
    const response = await fetch(`${world.url}/webhooks/github`);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    expect(await response.json()).toMatchObject({ code: "wrong-method" });
  });

  it("when its source has no secret, unless that is allowed", async () => {
    const { listeners } = world.state.live ?? { listeners: [] };
    world.state.live = { sources: [source("acme", "github")], listeners };
    await expectRefusal(await world.send("/webhooks/github", { body: BODY }), 401, "bad-signature");
    world.state.live = { sources: [source("acme", "github", { allowUnsigned: true })], listeners };
    expect((await world.send("/webhooks/github", { body: BODY })).status).toBe(200);
  });
});

describe("a delivery is refused for now", () => {
  it("while nothing can be served", async () => {
    world.state.live = undefined;
    const answer = await world.send("/webhooks/github", issue("d1"));
    await expectRefusal(answer, 503, "not-serving");
    expect(answer.headers.get("retry-after")).toBe("10");
  });

  it("when the store fails, without telling why", async () => {
    world.database.exec("ALTER TABLE webhook_receipts DROP COLUMN body");
    const answer = await world.send("/webhooks/github", issue("d1"));
    await expectRefusal(answer, 503, "not-accepted");
    expect(answer.headers.get("retry-after")).toBe("10");
    expect(JSON.stringify(answer.body)).not.toContain("column");
    expect(world.log.map(({ message }) => message)).toEqual(["delivery could not be accepted"]);
  });

  it("when no agent it is for has room, and accepted later", async () => {
    world.state.refusals.set("triage", queueFull("triage"));
    const answer = await world.send("/webhooks/github", issue("d1"));
    await expectRefusal(answer, 503, "queue-full");
    expect(answer.headers.get("retry-after")).toBe("60");
    world.state.refusals.clear();
    expect((await world.send("/webhooks/github", issue("d1"))).body).toMatchObject({ matched: 1 });
  });
});

describe("where some agents cannot take a run", () => {
  it("the others get theirs, and the log tells of the rest", async () => {
    const { sources } = world.state.live ?? { sources: [] };
    const listeners = [listener("triage", "acme"), listener("clerk", "acme")];
    world.state.live = { sources, listeners };
    world.state.refusals.set("clerk", queueFull("clerk"));
    const answer = await world.send("/webhooks/github", issue("d1"));
    expect([answer.status, answer.body]).toEqual([200, { ok: true, matched: 1, skipped: 1 }]);
    expect(world.runs().map(({ agent }) => agent)).toEqual(["triage"]);
    expect(world.log[0]?.fields).toMatchObject({
      ...{ agent: "clerk", reason: "agent clerk has 100 runs waiting", delivery: "d1" },
    });
  });

  it("a delivery for agents that never will is kept, and not asked for again", async () => {
    const disabled = { code: "agent-disabled", blame: "user" } as const;
    world.state.refusals.set("triage", new AlError("agent triage is disabled", disabled));
    const answer = await world.send("/webhooks/github", issue("d1"));
    expect([answer.status, answer.body]).toEqual([200, { ok: true, matched: 0, skipped: 1 }]);
    expect(await world.receipts.list({ limit: 9 })).toHaveLength(1);
  });

  it("a duplicate is one, whether there is room or not", async () => {
    await world.send("/webhooks/github", issue("d1"));
    world.state.refusals.set("triage", queueFull("triage"));
    const answer = await world.send("/webhooks/github", issue("d1"));
    expect([answer.status, answer.body]).toMatchObject([200, { duplicate: true }]);
  });
});

describe("the rate of a source", () => {
  beforeEach(() => {
    const acme = source("acme", "github", { secrets: ["s3cret"], deliveriesPerMinute: 3 });
    const other = source("other", "github", { secrets: ["0ther"], deliveriesPerMinute: 3 });
    world.state.live = { sources: [acme, other], listeners: [] };
  });

  it("is a minute's worth at once, and then as time passes", async () => {
    const statuses = async (ids: readonly string[]) => {
      const answers = [];
      for (const id of ids) answers.push(await world.send("/webhooks/github", issue(id)));
      return answers.map(({ status }) => status);
    };
    expect(await statuses(["1", "2", "3", "4"])).toEqual([200, 200, 200, 429]);
    const answer = await world.send("/webhooks/github", issue("4"));
    expect(answer.headers.get("retry-after")).toBe("20");
    expect(answer.body).toMatchObject({ code: "too-many-deliveries" });
    await world.clock.advance(20_000);
    expect(await statuses(["4", "5"])).toEqual([200, 429]);
    const other = { ...issue("6"), signedWith: "0ther" };
    expect((await world.send("/webhooks/github", other)).status).toBe(200);
  });

  it("is not used up by those who cannot sign", async () => {
    for (let n = 0; n < 10; n += 1) {
      await world.send("/webhooks/github", { ...issue(`x${n}`), signedWith: "wrong" });
    }
    expect((await world.send("/webhooks/github", issue("1"))).status).toBe(200);
  });
});

it("tells the log of ten refusals a minute, however many there are", async () => {
  for (let n = 0; n < 15; n += 1) await world.send("/webhooks/github");
  const refusals = () => world.log.filter(({ message }) => message === "delivery refused");
  expect(refusals()).toHaveLength(10);
  expect(refusals()[0]?.fields).toMatchObject({ type: "github", status: 401 });
  await world.clock.advance(60_000);
  await world.send("/webhooks/github");
  expect(refusals()).toHaveLength(11);
});

/** An answer that refuses, after which nothing is stored. */
async function expectRefusal(
  answer: Awaited<ReturnType<WebhookWorld["send"]>>,
  status: number,
  code: string,
): Promise<void> {
  expect([answer.status, answer.body]).toEqual([
    status,
    expect.objectContaining({ code, error: expect.any(String) }),
  ]);
  expect(world.runs()).toEqual([]);
  expect(await world.receipts.list({ limit: 1 })).toEqual([]);
}
