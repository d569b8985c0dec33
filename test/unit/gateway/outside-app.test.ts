import { beforeEach, describe, expect, it } from "vitest";
import type { LogFields } from "../../../src/base/logger.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import { Secret } from "../../../src/base/secret.ts";
import { controlApi } from "../../../src/gateway/control-api.ts";
import { ErrorAnswer } from "../../../src/gateway/control-schema.ts";
import { outsideApp } from "../../../src/gateway/outside-app.ts";
import { webhookApp } from "../../../src/gateway/webhook-app.ts";
import { createPorts } from "./harness.ts";

const KEY = "0123456789abcdef-tell-nobody";

let held: Secret | undefined;
let logged: unknown[];
let ports: ReturnType<typeof createPorts>;
let app: ReturnType<typeof outsideApp>;
beforeEach(() => {
  held = new Secret(KEY);
  logged = [];
  ports = createPorts();
  const note = (fields: LogFields, message: string) => logged.push({ ...fields, message });
  const logger = { ...silentLogger, warn: note, error: note };
  const { clock } = ports;
  app = outsideApp({
    ...{ clock, logger, key: { current: async () => held } },
    webhooks: webhookApp({ ...ports.webhooks, logger }),
    control: controlApi(ports),
  });
});

async function ask(path: string, authorization?: string, method = "GET") {
  const headers = authorization === undefined ? {} : { authorization };
  const response = await app.request(path, { method, headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function refusal(path: string, authorization?: string) {
  const { status, body } = await ask(path, authorization);
  const { code, hint } = ErrorAnswer.parse(body);
  expect(hint).toMatch(/\S/);
  return [status, code];
}

describe("the control API from outside", () => {
  it.each(["/control/status", "/api/logs/agents/dev", "/openapi.json", "/control/nowhere"])(
    "is for who sends the gateway's key: %s",
    async (path) => {
      expect(await refusal(path)).toEqual([401, "no-key"]);
      expect(await refusal(path, "Bearer guess")).toEqual([401, "wrong-key"]);
      expect(await refusal(path, `Bearer ${KEY}x`)).toEqual([401, "wrong-key"]);
      expect(await refusal(path, KEY)).toEqual([401, "no-key"]);
      const { status } = await app.request(path, { headers: { authorization: `Bearer ${KEY}` } });
      expect(status).toBe(path.endsWith("nowhere") ? 404 : 200);
    },
  );

  it("does nothing for who has no key", async () => {
    expect((await ask("/control/pause", undefined, "POST")).status).toBe(401);
    expect((await ask("/control/trigger/dev", "Bearer guess", "POST")).status).toBe(401);
    expect([ports.state.holds.size, ports.state.triggers]).toEqual([0, []]);
    expect((await ask("/control/pause", `Bearer ${KEY}`, "POST")).status).toBe(200);
    expect(ports.state.holds.size).toBe(1);
  });

  it("takes a rotated key at once, and the one before it no more", async () => {
    held = new Secret("another-key-of-some-length");
    expect(await refusal("/control/status", `Bearer ${KEY}`)).toEqual([401, "wrong-key"]);
    const { status } = await ask("/control/status", "Bearer another-key-of-some-length");
    expect(status).toBe(200);
  });

  it("says how to have a key where the gateway has none, or one that could be guessed", async () => {
    for (const key of [undefined, new Secret(""), new Secret("short")]) {
      held = key;
      const { status, body } = await ask("/control/status", `Bearer ${key?.reveal() ?? KEY}`);
      expect([status, body]).toEqual([
        401,
        {
          ...{ code: "no-gateway-key", error: expect.stringContaining("at least 16 characters") },
          hint: expect.stringMatching(/control = true.*al creds add gateway_api_key.*al approve/),
        },
      ]);
    }
  });

  it("answers 429 to many wrong attempts, and still lets in who has the key", async () => {
    for (let n = 0; n < 30; n += 1) await ask("/control/status", "Bearer guess");
    const { status, headers, body } = await ask("/control/status", "Bearer guess");
    expect([status, ErrorAnswer.parse(body).code]).toEqual([429, "too-many-attempts"]);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await ask("/control/status", `Bearer ${KEY}`)).status).toBe(200);
    expect(logged).toHaveLength(30);
    await ports.clock.advance(60_000);
    expect(await refusal("/control/status", "Bearer guess")).toEqual([401, "wrong-key"]);
  });

  it("tells the log who was refused where, and no key", async () => {
    await ask("/control/status", "Bearer guess-that-is-wrong");
    expect(logged).toMatchObject([{ code: "wrong-key", path: "/control/status" }]);
    expect(JSON.stringify(logged)).not.toMatch(/guess|tell-nobody/);
  });
});

it("webhooks and what is not there need no key", async () => {
  expect(await ask("/webhooks/github")).toMatchObject({
    ...{ status: 405, body: { code: "wrong-method" } },
  });
  expect(await ask("/anything")).toMatchObject({ status: 404, body: { code: "not-found" } });
});
