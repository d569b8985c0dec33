import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import { authenticate, type WebhookSource } from "../../../src/core/webhook-authenticate.ts";
import { isSignedBy } from "../../../src/core/webhook-signature.ts";
import { webhookFormat } from "../../../src/core/webhook-types.ts";

const sign = (body: Uint8Array, secret: string) =>
  createHmac("sha256", secret).update(body).digest("hex");

const body = fc.uint8Array({ maxLength: 200 });
const secret = fc.string({ minLength: 1, maxLength: 40 });

describe("a signature", () => {
  test("of any bytes fits under each of several secrets", () => {
    fc.assert(
      fc.property(body, fc.array(secret, { minLength: 1, maxLength: 4 }), (bytes, secrets) => {
        const known = secrets.map((value) => new Secret(value));
        for (const value of secrets) {
          const hex = sign(bytes, value);
          for (const text of [hex, `sha256=${hex}`, hex.toUpperCase(), ` ${hex} `]) {
            expect(isSignedBy(known, bytes, text)).toBe(true);
          }
        }
      }),
    );
  });

  test("fits no other secret and no other bytes", () => {
    fc.assert(
      fc.property(body, body, secret, secret, (bytes, others, one, two) => {
        const known = [new Secret(one)];
        expect(isSignedBy(known, bytes, sign(bytes, two))).toBe(one === two);
        const equal = Buffer.from(bytes).equals(others);
        expect(isSignedBy(known, others, sign(bytes, one))).toBe(equal);
      }),
    );
  });

  test("of a single other bit does not fit", () => {
    fc.assert(
      fc.property(body, secret, fc.nat(255), (bytes, value, bit) => {
        const bits = Buffer.from(sign(bytes, value), "hex");
        bits.writeUInt8(bits.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        expect(isSignedBy([new Secret(value)], bytes, bits.toString("hex"))).toBe(false);
      }),
    );
  });

  test("may be any text without harm", () => {
    const known = [new Secret("s")];
    const bytes = Buffer.from("x");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(isSignedBy(known, bytes, text)).toBe(false);
      }),
    );
    for (const text of [undefined, "", "sha256=", "sha1=00", `${sign(bytes, "s")}00`]) {
      expect(isSignedBy(known, bytes, text)).toBe(false);
    }
    expect(isSignedBy(known, bytes, sign(bytes, "s").slice(2))).toBe(false);
    expect(isSignedBy([], bytes, sign(bytes, "s"))).toBe(false);
  });

  test("with an empty secret never fits: anybody could make it", () => {
    const bytes = Buffer.from("{}");
    expect(isSignedBy([new Secret("")], bytes, sign(bytes, ""))).toBe(false);
    const known = [new Secret("s"), new Secret("")];
    expect(isSignedBy(known, bytes, sign(bytes, "s"))).toBe(true);
  });
});

function source(name: string, secrets: readonly string[], allowUnsigned = false): WebhookSource {
  return {
    ...{ name, format: { type: "github" }, allowUnsigned, deliveriesPerMinute: 60 },
    secrets: secrets.map((value) => new Secret(value)),
  };
}

describe("a delivery", () => {
  const bytes = Buffer.from("{}");
  const ask = (sources: readonly WebhookSource[], signedWith?: string) => {
    const signature = signedWith && { "x-hub-signature-256": `sha256=${sign(bytes, signedWith)}` };
    const verdict = authenticate(sources, { headers: { ...signature }, body: bytes });
    return verdict.ok ? verdict.sources.map(({ name }) => name) : verdict.problem;
  };
  const unsigned = "the delivery is not signed";
  const wrong = "the signature does not fit the body";

  test("is from every source with a secret that it is signed with, in order of their names", () => {
    const sources = [source("c", ["two"]), source("b", ["one", "two"]), source("a", ["one"])];
    expect(ask(sources, "two")).toEqual(["b", "c"]);
    expect(ask(sources, "one")).toEqual(["a", "b"]);
    expect(ask(sources, "three")).toBe(wrong);
    expect(ask(sources)).toBe(unsigned);
  });

  test("without a signature is taken only where that is allowed and there is no secret", () => {
    expect(ask([source("a", [])])).toBe(unsigned);
    expect(ask([source("a", [])], "any")).toBe(unsigned);
    expect(ask([source("a", [], true)])).toEqual(["a"]);
    expect(ask([source("a", [], true)], "any")).toEqual(["a"]);
    expect(ask([source("a", ["one"], true)])).toBe(unsigned);
    expect(ask([])).toBe(unsigned);
  });

  test("with a signature that is wrong is not taken for an unsigned one", () => {
    const sources = [source("open", [], true), source("closed", ["one"])];
    expect(ask(sources)).toEqual(["open"]);
    expect(ask(sources, "two")).toBe(wrong);
    expect(ask(sources, "one")).toEqual(["closed"]);
  });
});

test("a generic source is checked by the header it names, or by the usual one", () => {
  const bytes = Buffer.from("{}");
  const isTaken = (signatureHeader: string | undefined, sentAs: string) => {
    const format = webhookFormat({ type: "generic", signatureHeader });
    const headers = { [sentAs]: sign(bytes, "one") };
    return authenticate([{ ...source("a", ["one"]), format }], { headers, body: bytes }).ok;
  };
  expect(isTaken(undefined, "x-hub-signature-256")).toBe(true);
  expect(isTaken("X-Gitea-Signature", "x-gitea-signature")).toBe(true);
  expect(isTaken("X-Gitea-Signature", "x-hub-signature-256")).toBe(false);
  expect(webhookFormat({ type: "linear" })).toEqual({ type: "linear" });
});
