import { beforeAll, describe, expect, it } from "vitest";
import { controlApi } from "../../../src/gateway/control-api.ts";
import { createPorts } from "./harness.ts";
import { answerCheck, type Description, type Operation } from "./openapi.ts";

const METHODS = ["GET", "POST"];

let app: ReturnType<typeof controlApi>;
let description: Description;
beforeAll(async () => {
  app = controlApi(createPorts());
  description = (await (await app.request("/openapi.json")).json()) as Description;
});

function operations(): { path: string; method: string; operation: Operation }[] {
  return Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}

describe("the description", () => {
  it("is of OpenAPI 3.1, and says what the API is and what it asks for", () => {
    expect(description.openapi).toMatch(/^3\.1\./);
    expect(description.info).toMatchObject({ title: expect.any(String), version: "1" });
    expect(description.security).toEqual([{ gatewayKey: [] }, {}]);
    expect(description.components.securitySchemes).toMatchObject({
      gatewayKey: { type: "http", scheme: "bearer" },
    });
  });

  it("has every route of the app, and no other", () => {
    const served = app.routes
      .filter(({ method }) => METHODS.includes(method))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    const described = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect([...new Set(served)].sort()).toEqual(described.sort());
    expect(described.length).toBeGreaterThan(20);
  });

  it("declares the parameters of each path, and what each answer is", () => {
    for (const { path, method, operation } of operations()) {
      const inPath = (operation.parameters ?? []).filter((one) => one.in === "path");
      expect(inPath.every(({ required }) => required)).toBe(true);
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(operation.summary, `${method} ${path}`).toMatch(/\S/);
      const { responses } = operation;
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(["400", "401", "500", "503"]));
      expect(Object.keys(responses).filter((status) => status < "300")).toHaveLength(1);
      for (const [status, { description: says, content }] of Object.entries(responses)) {
        expect(says).toMatch(/\S/);
        const [schema] = Object.values(content).map((one) => JSON.stringify(one.schema));
        if (status >= "400") expect(schema).toBe('{"$ref":"#/components/schemas/Error"}');
      }
    }
  });

  it("refers to nothing that is not there", () => {
    const references = JSON.stringify(description).match(/#\/components\/schemas\/\w+/g) ?? [];
    const names = references.map((reference) => reference.split("/").at(-1) ?? "");
    expect(Object.keys(description.components.schemas)).toEqual(
      expect.arrayContaining([...new Set(names)]),
    );
  });
});

describe("answers", () => {
  it.each([
    ["GET", "/control/status", 200],
    ["GET", "/control/status?rules=look", 200],
    ["GET", "/control/runs?limit=5", 200],
    ["GET", "/control/runs?limit=x", 400],
    ["GET", "/control/runs/01A", 200, "/control/runs/{run}"],
    ["GET", "/control/runs/none", 404, "/control/runs/{run}"],
    ["GET", "/control/instances", 200],
    ["GET", "/control/queue", 200],
    ["GET", "/control/locks", 200],
    ["GET", "/control/webhooks", 200],
    ["GET", "/openapi.json", 200],
    ["GET", "/control/pause", 405],
    ["POST", "/control/trigger/dev", 202, "/control/trigger/{agent}"],
    ["POST", "/control/trigger/nobody", 404, "/control/trigger/{agent}"],
    ["POST", "/control/trigger/busy", 409, "/control/trigger/{agent}"],
    ["POST", "/control/kill/01A", 200, "/control/kill/{run}"],
    ["POST", "/control/pause", 200],
    ["POST", "/control/resume", 200],
    ["POST", "/control/agents/dev/pause", 200, "/control/agents/{agent}/pause"],
    ["POST", "/control/agents/dev/resume", 200, "/control/agents/{agent}/resume"],
    ["POST", "/control/agents/dev/disable", 200, "/control/agents/{agent}/disable"],
    ["POST", "/control/agents/dev/enable", 200, "/control/agents/{agent}/enable"],
    ["POST", "/control/agents/dev/kill", 200, "/control/agents/{agent}/kill"],
    ["POST", "/control/agents/nobody/kill", 404, "/control/agents/{agent}/kill"],
    ["POST", "/control/webhooks/01X/replay", 404, "/control/webhooks/{receipt}/replay"],
    ["POST", "/control/rules", 200],
    ["POST", "/control/reload", 200],
    ["POST", "/control/stop", 202],
  ])("to %s %s are what is described", async (method, path, status, template?: string) => {
    const response = await app.request(path, { method });
    expect(response.status).toBe(status);
    const described = template ?? path.split("?")[0] ?? "";
    const found = { method: status === 405 ? "POST" : method, path: described, status };
    answerCheck(description, found).parse(await response.json());
  });

  it("are checked by schemas that refuse what is not described", () => {
    const found = { method: "GET", path: "/control/runs", status: 200 };
    const check = answerCheck(description, found);
    expect(check.safeParse({ runs: [{ id: 1 }] }).success).toBe(false);
  });
});
