import { beforeEach, describe, expect, it } from "vitest";
import { controlApi } from "../../../src/gateway/control-api.ts";
import { ErrorAnswer } from "../../../src/gateway/control-schema.ts";
import { createPorts } from "./harness.ts";

let ports: ReturnType<typeof createPorts>;
let app: ReturnType<typeof controlApi>;
beforeEach(() => {
  ports = createPorts();
  app = controlApi(ports);
});

const JSON_TYPE = { "content-type": "application/json" };

async function ask(method: string, path: string, body?: unknown, headers = JSON_TYPE) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers };
  const response = await app.request(path, { method, ...sent });
  return { status: response.status, body: await response.json() };
}
const post = (path: string, body?: unknown) => ask("POST", path, body);
const get = (path: string) => ask("GET", path);

describe("a pause", () => {
  it("of the scheduler is told by whom, stays the first one, and ends once", async () => {
    const paused = { since: 1000, by: "ann@laptop" };
    const answer = { status: 200, body: { paused } };
    expect(await post("/control/pause", { by: "ann@laptop" })).toEqual(answer);
    expect(await post("/control/pause", { by: "bob" })).toEqual(answer);
    expect((await get("/control/status")).body).toMatchObject({ paused });
    expect((await post("/control/resume")).body).toEqual({ resumed: true });
    expect((await post("/control/resume")).body).toEqual({ resumed: false });
    expect((await get("/control/status")).body).not.toHaveProperty("paused");
  });

  it("of an agent, and its disabling, are told with the agent", async () => {
    const hold = { since: 1000 };
    const agent = "dev";
    expect((await post("/control/agents/dev/pause")).body).toEqual({ agent, paused: hold });
    expect((await post("/control/agents/dev/disable")).body).toEqual({ agent, disabled: hold });
    expect((await post("/control/agents/dev/resume")).body).toEqual({ agent, resumed: true });
    expect((await post("/control/agents/dev/enable")).body).toEqual({ agent, enabled: true });
    expect((await post("/control/agents/dev/enable")).body).toEqual({ agent, enabled: false });
  });

  it.each(["pause", "resume", "disable", "enable", "kill"])(
    "cannot be asked for nobody: %s",
    async (what) => {
      const { status, body } = await post(`/control/agents/nobody/${what}`);
      expect([status, ErrorAnswer.parse(body).code]).toEqual([404, "unknown-agent"]);
    },
  );
});

describe("runs", () => {
  it("of an agent are killed, and with `queued` dropped from the queue", async () => {
    const killed = { agent: "dev", killed: ["01A"], cancelled: [], failed: [] };
    expect(await post("/control/agents/dev/kill")).toEqual({ status: 200, body: killed });
    const all = await post("/control/agents/dev/kill", { queued: true });
    expect(all.body).toEqual({ ...killed, cancelled: ["01Q"] });
  });

  it("that wait are listed with what they wait for, those under way without", async () => {
    ports.runList.push({ ...ports.run, id: "01Q", state: "queued" });
    const waiting = { run: { id: "01Q", state: "queued" }, waitsFor: "a free runner of dev" };
    expect((await get("/control/queue")).body).toMatchObject({ queue: [waiting] });
    expect((await get("/control/queue?agent=other")).body).toEqual({ queue: [] });
    const { runs } = (await get("/control/instances")).body as { runs: { id: string }[] };
    expect(runs.map(({ id }) => id)).toEqual(["01A"]);
  });

  it("and their locks are listed", async () => {
    const lock = { resourceKey: "k", run: "01A", agent: "dev", heldSince: 1, expiresAt: 2 };
    ports.state.locks.push({ ...lock, waiting: 3 });
    expect((await get("/control/locks")).body).toEqual({ locks: [{ ...lock, waiting: 3 }] });
  });
});

it("the runtime is stopped by name, and says so before it stops", async () => {
  const answer = await post("/control/stop", { by: "ann@laptop" });
  expect(answer).toEqual({ status: 202, body: { stopping: true } });
  expect(ports.state.stops).toEqual([{ by: "ann@laptop" }]);
});

describe("errors", () => {
  const problem = async (method: string, path: string, body?: unknown, headers = JSON_TYPE) => {
    const answer = await ask(method, path, body, headers);
    const { error, code, hint } = ErrorAnswer.parse(answer.body);
    expect([error, hint]).toEqual([expect.stringMatching(/\S/), expect.stringMatching(/\S/)]);
    return { status: answer.status, error, code };
  };

  it("name the field that is wrong, all of them", async () => {
    expect(await problem("POST", "/control/pause", { by: 1, why: "x" })).toEqual({
      ...{ status: 400, code: "bad-request" },
      error: expect.stringMatching(/^body field by: .*; body: .*"why"/),
    });
    expect((await problem("GET", "/control/runs?limit=-1")).error).toBe(
      "query field limit: must be a whole number",
    );
  });

  it("tell a route that is not there from one for another method", async () => {
    expect(await problem("GET", "/nowhere")).toMatchObject({ status: 404, code: "no-such-route" });
    expect(await problem("DELETE", "/control/runs/01A")).toMatchObject({
      ...{ status: 405, code: "wrong-method", error: "/control/runs/{run} is for GET" },
    });
    const response = await app.request("/control/trigger/dev");
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it("refuse a body that is too large, or is not said to be JSON", async () => {
    const large = { by: "x".repeat(70_000) };
    expect(await problem("POST", "/control/pause", large)).toMatchObject({ status: 413 });
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect(await problem("POST", "/control/pause", { by: "ann" }, form)).toMatchObject({
      ...{ status: 415, code: "wrong-content-type" },
    });
    expect(ports.state.holds.size).toBe(0);
  });

  it("are JSON too when nobody foresaw them", async () => {
    ports.runtime.restoreRules = async () => {
      throw new RangeError("out of luck");
    };
    const answer = await problem("POST", "/control/rules");
    expect(answer).toEqual({ status: 500, code: "unclassified", error: "out of luck" });
  });

  it("let no other site read an answer", async () => {
    const headers = { origin: "https://example.com" };
    const response = await app.request("/control/status", { headers });
    const names = [...response.headers.keys()];
    expect(names.filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});
