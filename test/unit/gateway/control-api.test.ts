import { beforeEach, describe, expect, it } from "vitest";
import { controlApi } from "../../../src/gateway/control-api.ts";
import {
  ErrorAnswer,
  LogEvent,
  RunAnswer,
  RunsAnswer,
  StatusAnswer,
  TriggerAnswer,
} from "../../../src/gateway/control-schema.ts";
import { settle } from "../schedule/simulated-clock.ts";
import { createPorts, line } from "./harness.ts";

let ports: ReturnType<typeof createPorts>;
let app: ReturnType<typeof controlApi>;
beforeEach(() => {
  ports = createPorts();
  app = controlApi(ports);
});

async function ask(path: string, method = "GET") {
  const response = await app.request(path, { method });
  return { status: response.status, body: await response.json() };
}

async function post(body: unknown) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = {
    ...{ "content-type": "application/json", "content-length": String(text.length) },
  };
  const options = { method: "POST", body: text, headers };
  const response = await app.request("/control/trigger/dev", options);
  return { status: response.status, body: await response.json() };
}

describe("control", () => {
  it("tells the runtime's state, agents and latest runs", async () => {
    const { status, body } = await ask("/control/status");
    expect(status).toBe(200);
    expect(StatusAnswer.parse(body)).toMatchObject({
      report: { ready: true, revision: "revision" },
      agents: [{ name: "dev", running: 1 }],
      runs: [{ id: "01A", trigger: "manual", state: "running" }],
    });
  });

  it("lists webhook receipts, and shares its errors with their replay", async () => {
    const receipts = { status: 200, body: { receipts: [] } };
    expect(await ask("/control/webhooks")).toEqual(receipts);
    const answer = await ask("/control/webhooks/01X/replay", "POST");
    expect([answer.status, ErrorAnswer.parse(answer.body).code]).toEqual([404, "unknown-receipt"]);
  });

  it("triggers an agent and gives the run's id", async () => {
    const { status, body } = await ask("/control/trigger/dev", "POST");
    expect([status, TriggerAnswer.parse(body)]).toEqual([202, { runId: "01B" }]);
  });

  it.each([
    ["nobody", 404, "unknown-agent"],
    ["busy", 409, "queue-full"],
  ])("says why it does not trigger %s", async (agent, status, code) => {
    const answer = await ask(`/control/trigger/${agent}`, "POST");
    expect(answer.status).toBe(status);
    expect(ErrorAnswer.parse(answer.body)).toEqual({
      ...{ error: `no ${agent}`, code, hint: "Do something." },
    });
  });

  it("lists runs, and shows one", async () => {
    const { body } = await ask("/control/runs?agent=dev&limit=5");
    expect(RunsAnswer.parse(body).runs).toHaveLength(1);
    expect(RunsAnswer.parse((await ask("/control/runs?agent=no")).body).runs).toEqual([]);
    expect(RunAnswer.parse((await ask("/control/runs/01A")).body)).toMatchObject({
      ...{ id: "01A", revision: "revision", image: "image", container: "al-p-run-01a" },
    });
    expect(await ask("/control/runs/none")).toMatchObject({
      status: 404,
      body: { code: "unknown-run" },
    });
  });

  it("refuses a limit that is no number", async () => {
    expect(await ask("/control/runs?limit=-1")).toMatchObject({
      status: 400,
      body: { code: "bad-request" },
    });
  });

  it("kills a run, and says when it did not", async () => {
    expect(await ask("/control/kill/01A", "POST")).toEqual({ status: 200, body: { killed: true } });
    ports.state.killable = false;
    expect((await ask("/control/kill/01A", "POST")).status).toBe(409);
  });

  it("follows the release on demand", async () => {
    expect((await ask("/control/reload", "POST")).status).toBe(200);
    expect(ports.state.reloads).toBe(1);
  });
});

describe("a trigger by hand", () => {
  it("starts a run as by a webhook when it is given a context, whole up to 10 MB", async () => {
    const text = "x".repeat(10 * 1024 * 1024 - 100);
    const context = { source: "github", event: "issues", text };
    const { status } = await post({ by: "ann@laptop", context });
    expect(status).toBe(202);
    expect((await post({ by: "ann@laptop" })).status).toBe(202);
    expect((await post({ context: { a: 1 } })).status).toBe(202);
    expect(ports.state.triggers).toEqual([
      { kind: "webhook", source: "github", by: "ann@laptop", context: { event: "issues", text } },
      { kind: "manual", by: "ann@laptop" },
      { kind: "webhook", source: "manual", context: { a: 1 } },
    ]);
  });

  it.each([
    ["a longer one", { context: { text: "x".repeat(11 * 1024 * 1024) } }, 413, "body-too-large"],
    ["a list", { context: [1] }, 400, "bad-request"],
    ["a source that is no text", { context: { source: 1 } }, 400, "bad-request"],
    ["an unknown field", { contxt: {} }, 400, "bad-request"],
    ["no JSON", "{oops", 400, "bad-request"],
    [
      "too deep nesting",
      `{"context":{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}}`,
      400,
      "bad-request",
    ],
  ])("refuses %s as a context", async (_what, body, status, code) => {
    expect(await post(body)).toMatchObject({ status, body: { code } });
    expect(ports.state.triggers).toEqual([]);
  });
});

describe("logs", () => {
  const read = async (query: string) => {
    const response = await app.request(`/api/logs/agents/dev${query}`);
    const lines = (await response.text()).split("\n").filter((text) => text !== "");
    return lines.map((text) => LogEvent.parse(JSON.parse(text)));
  };
  const cursors = (events: readonly LogEvent[]) => events.map(({ cursor }) => cursor);

  it("gives what is there so far, of the latest run if none is named", async () => {
    ports.log.push(line(1), line(2), line(3));
    expect(cursors(await read("/01A"))).toEqual([10, 20, 30]);
    expect(await read("?lines=1")).toEqual([{ kind: "line", run: "01A", ...line(3) }]);
    expect(cursors(await read("?cursor=10"))).toEqual([20, 30]);
  });

  it("leaves out what is older than asked", async () => {
    ports.log.push(line(1), line(2), line(3));
    const since = Date.parse(line(2).ts);
    expect(cursors(await read(`/01A?since=${since}`))).toEqual([20, 30]);
  });

  it("ends with the run, once it is over", async () => {
    ports.log.push(line(1));
    finish();
    expect(await read("")).toEqual([
      { kind: "line", run: "01A", ...line(1) },
      { kind: "end", cursor: 10, run: expect.objectContaining({ outcome: "completed" }) },
    ]);
  });

  it("follows a run to its end", async () => {
    ports.log.push(line(1));
    const events = read("?follow=1");
    await settle();
    ports.log.push(line(2));
    await ports.clock.advance(1000);
    ports.log.push(line(3));
    finish();
    await ports.clock.advance(1000);
    expect((await events).map((event) => [event.kind, event.cursor])).toEqual([
      ...[10, 20, 30].map((cursor) => ["line", cursor]),
      ["end", 30],
    ]);
  });

  it("stops reading when the client goes away", async () => {
    const response = await app.request("/api/logs/agents/dev?follow=1");
    const reader = response.body?.getReader();
    const waiting = reader?.read();
    await settle();
    await reader?.cancel();
    expect((await waiting)?.done).toBe(true);
    await ports.clock.advance(60_000);
  });

  it("says that an agent has no runs, or that a run is another agent's", async () => {
    expect(await ask("/api/logs/agents/idle")).toMatchObject({
      ...{ status: 404, body: { code: "no-runs" } },
    });
    expect((await ask("/api/logs/agents/idle/01A")).status).toBe(404);
  });

  function finish(): void {
    ports.runList[0] = {
      ...ports.run,
      ...{ state: "finished", outcome: "completed", exitCode: 0, endedAt: 3000 },
    };
  }
});
