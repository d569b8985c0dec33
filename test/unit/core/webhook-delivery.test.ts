import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../../../src/base/canonical-json.ts";
import {
  deliveryIdOf,
  headersToKeep,
  isHashId,
  readDelivery,
} from "../../../src/core/webhook-delivery.ts";
import { matchesFilter } from "../../../src/core/webhook-filter.ts";
import { receiptOf } from "../../../src/core/webhook-receipt.ts";
import {
  type WebhookFormat,
  webhookFilterFields,
  webhookTypes,
} from "../../../src/core/webhook-types.ts";
import * as fixtures from "./webhook-fixtures.ts";

const GENERIC = {
  type: "generic",
  headers: { signature: "X-Sign", delivery: "X-Id", event: "X-Event" },
} as const;
const formats: readonly WebhookFormat[] = webhookTypes.map((type) =>
  type === "generic" ? GENERIC : { type },
);
const bytes = (text: string) => Buffer.from(text);

describe("a hostile body", () => {
  const deep = `${"[".repeat(5_000_000)}${"]".repeat(5_000_000)}`;
  test.each([
    ["nothing", bytes(""), "the body is not JSON"],
    ["half an object", bytes('{"a": 1'), "the body is not JSON"],
    ["a list", bytes("[]"), "the body is not a JSON object"],
    ["a text", bytes('"x"'), "the body is not a JSON object"],
    ["null", bytes("null"), "the body is not a JSON object"],
    ["ten million brackets", bytes(deep), "the body is nested deeper than 200 levels"],
    ["objects in objects", bytes('{"a":'.repeat(201)), "the body is nested deeper than 200 levels"],
    ["bytes that are no text", Buffer.from([0x7b, 0xff, 0x7d]), "the body is not UTF-8 text"],
    ["half a character", Buffer.from("7b22c3", "hex"), "the body is not UTF-8 text"],
  ])("of %s is refused with a reason", (_name, body, problem) => {
    for (const format of formats) {
      expect(readDelivery(format, { headers: {}, body })).toEqual({ ok: false, problem });
    }
  });

  test("may have brackets in its texts", () => {
    const body = bytes(JSON.stringify({ event: "x", text: `\\"${"[".repeat(1000)}` }));
    expect(readDelivery(GENERIC, { headers: {}, body })).toMatchObject({ ok: true });
  });

  test("changes no prototype and is told of as it is", () => {
    const text = '{"__proto__":{"action":"opened","polluted":1},"constructor":{"prototype":{}}}';
    for (const format of formats) {
      const reading = readDelivery(format, { headers: {}, body: bytes(text) });
      if (!reading.ok) throw new TypeError(reading.problem);
      expect(reading.event.context.action).toBeUndefined();
      expect(matchesFilter({ actions: ["opened"] }, reading.event)).toBe(false);
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test("with huge numbers keeps only those that can be written exactly", () => {
    const text = '{"issue":{"number":1e400},"number":123456789012345678901234567890}';
    const body = bytes(text);
    const reading = readDelivery({ type: "github" }, { headers: {}, body });
    expect(reading).toMatchObject({ ok: true, event: { context: {} } });
    expect(JSON.stringify(reading)).not.toContain("number");
  });

  test("of any shape is read without an error, and only texts become facts", () => {
    fc.assert(
      fc.property(hostileBody, fc.constantFrom(...formats), (value, format) => {
        const body = bytes(JSON.stringify(value));
        const reading = readDelivery(format, { headers: { "x-github-event": "issues" }, body });
        if (!reading.ok) throw new TypeError(reading.problem);
        const { context, facts } = reading.event;
        expect(JSON.parse(JSON.stringify(context))).toEqual(context);
        for (const [field, found] of Object.entries(facts)) {
          expect(webhookFilterFields[format.type]).toContain(field);
          expect(found.every((text) => typeof text === "string" && text !== "")).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("of any bytes is read or refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(...formats), (body, format) => {
        expect(typeof readDelivery(format, { headers: {}, body }).ok).toBe("boolean");
      }),
    );
  });
});

describe("a delivery's id", () => {
  test.each([
    [{ type: "github" }, { "x-github-delivery": "72d3162e" }, "72d3162e"],
    [{ type: "linear" }, { "linear-delivery": "234d1a4e" }, "234d1a4e"],
    [{ type: "sentry" }, { "request-id": "f00" }, "f00"],
    [GENERIC, { "x-id": "7" }, "7"],
  ] as const)("of %j is what its sender says", (format, headers, id) => {
    expect(deliveryIdOf(format, { headers, body: bytes("{}") })).toBe(id);
  });

  test.each([
    [{ type: "mintlify" }, {}],
    [{ type: "github" }, {}],
    [{ type: "github" }, { "x-github-delivery": " " }],
    [{ type: "github" }, { "x-github-delivery": "x".repeat(201) }],
    [{ type: "github" }, { "x-github-delivery": "a\nb" }],
    [{ type: "github" }, { "x-github-delivery": "sha256:00" }],
    [{ type: "generic", headers: { signature: "x-sign" } }, { "x-id": "7" }],
  ] as const)("of %j with %j is made from the body", (format, headers) => {
    const id = deliveryIdOf(format, { headers, body: bytes("{}") });
    expect(isHashId(id)).toBe(true);
    expect(deliveryIdOf(format, { headers: {}, body: bytes("{}") })).toBe(id);
    expect(deliveryIdOf(format, { headers, body: bytes("{ }") })).not.toBe(id);
  });
});

describe("a receipt", () => {
  const body = bytes(JSON.stringify(fixtures.issueLabeled));
  const headers = {
    ...{ "x-github-event": "issues", "x-github-delivery": "72d3", "content-type": "text/plain" },
    ...{ "x-hub-signature-256": "sha256=00", authorization: "Bearer x", cookie: "y" },
  };

  test("keeps what reading it again needs, and nothing that proves who sent it", () => {
    expect(headersToKeep({ type: "github" }, headers)).toEqual({
      ...{ "x-github-event": "issues", "x-github-delivery": "72d3", "content-type": "text/plain" },
    });
  });

  test("is read again as the delivery was", () => {
    const format = { type: "github" } as const;
    const facts = { id: "01A", sources: ["acme"], receivedAt: 5 };
    const receipt = receiptOf(format, { headers, body }, facts);
    expect(receipt).toMatchObject({ ...facts, type: "github", deliveryId: "72d3", body });
    expect(readDelivery(format, receipt)).toEqual(readDelivery(format, { headers, body }));
  });
});

/** Bodies in the fields that readers look at, with anything in them. */
const NAMES =
  "action type data issue pull_request repository full_name owner login labels name label assignee assignees user sender number title body html_url comment review ref branches head workflow_run conclusion state project status branch organizationId url email actor creator __proto__ constructor";
const hostileBody = fc.dictionary(
  fc.constantFrom(...NAMES.split(" ")),
  fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom<Json>(null, true, "", "x", "\ud800", "refs/heads/", 1, -1, 1e308),
      fc.string(),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...NAMES.split(" ")), tie("value"), { maxKeys: 6 }),
    ),
  })).value,
  { maxKeys: 12 },
);
