import { beforeEach, describe, expect, it } from "vitest";
import { containerApi } from "../../../src/gateway/container-api.ts";
import { createPorts, SECRET } from "./harness.ts";

let ports: ReturnType<typeof createPorts>;
let app: ReturnType<typeof containerApi>;
beforeEach(() => {
  ports = createPorts();
  app = containerApi(ports);
});

/** Status and parsed body of an answer. */
async function ask(path: string, init?: RequestInit) {
  const response = await app.request(path, init);
  return { status: response.status, body: await response.json() };
}

function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return ask(path, { method: "POST", body: text, headers });
}

describe("GET /health", () => {
  it("is ok only while the gateway can really serve", async () => {
    expect(await ask("/health")).toEqual({ status: 200, body: { status: "ok" } });
    ports.state.serving = false;
    expect((await ask("/health")).status).toBe(503);
  });

  it("is not ok when looking fails", async () => {
    const serving = () => Promise.reject(new TypeError("disk"));
    app = containerApi({ ...ports, runtime: { ...ports.runtime, serving } });
    expect((await ask("/health")).status).toBe(500);
  });
});

describe("GET /credentials/:secret", () => {
  it("gives a run its credentials", async () => {
    expect(await ask(`/credentials/${SECRET}`)).toEqual({
      status: 200,
      body: { github_token: { default: { token: "ghp" } } },
    });
  });

  it("refuses anybody else", async () => {
    const refused = { status: 403, body: { error: "invalid secret" } };
    expect(await ask("/credentials/guess")).toEqual(refused);
  });
});

describe("POST /shutdown", () => {
  it("kills the run of the secret", async () => {
    const answer = await post("/shutdown", { secret: SECRET, reason: "done for" });
    expect(answer).toEqual({ status: 200, body: { ok: true } });
    expect(ports.state.killed).toEqual(["01A"]);
  });

  it("takes the secret as a bearer token too", async () => {
    const headers = { authorization: `Bearer ${SECRET}` };
    expect((await post("/shutdown", {}, headers)).status).toBe(200);
  });

  it("never says that it killed what it did not kill", async () => {
    ports.state.killable = false;
    expect(await post("/shutdown", { secret: SECRET })).toEqual({
      status: 409,
      body: { ok: false, reason: "the container is not running" },
    });
  });

  it.each([
    ["{", 400, "invalid JSON body"],
    ["[]", 400, "invalid JSON body"],
    ["null", 400, "invalid JSON body"],
    ["{}", 400, "missing secret"],
    ['{"secret":"guess"}', 403, "invalid secret"],
    ['{"secret":7}', 403, "invalid secret"],
  ])("answers the body %s with %i %s", async (body, status, error) => {
    expect(await post("/shutdown", body)).toEqual({ status, body: { error } });
    expect(ports.state.killed).toEqual([]);
  });

  it("refuses a body that is too large", async () => {
    const answer = await post("/shutdown", { secret: "x".repeat(2_000_000) });
    expect(answer.status).toBe(413);
  });
});

it("answers an unknown path with 404", async () => {
  expect(await ask("/control/status")).toEqual({ status: 404, body: { error: "not found" } });
});
