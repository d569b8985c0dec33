import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { agent, release } from "../schedule/harness.ts";
import { GatewayWorld, type LiveRun } from "./gateway-world.ts";

let world: GatewayWorld;
let dev: LiveRun;
beforeEach(async () => {
  world = await GatewayWorld.create();
  dev = await world.run("dev");
});
afterEach(() => world.dispose());

const call = (by: LiveRun, targetAgent: string, more: object = {}) =>
  world.post("/calls", { secret: by.secret, targetAgent, context: "Do it.", ...more });
const check = (by: LiveRun, id: string) => world.get(`/calls/${id}?secret=${by.secret}`);

async function called(by: LiveRun, targetAgent: string, more: object = {}): Promise<string> {
  const { status, body } = await call(by, targetAgent, more);
  expect(status).toBe(200);
  const { callId, ...rest } = body as { callId: string };
  expect(rest).toEqual({ ok: true });
  return callId;
}

describe("POST /calls", () => {
  it("makes a run of the target, whose answer the caller gets", async () => {
    const id = await called(dev, "reviewer", { context: "Review PR 42" });
    const run = await world.begun(id);
    expect(await world.ports.runs.get(id)).toMatchObject({
      agent: "reviewer",
      trigger: { kind: "call", caller: "dev", callerRun: dev.id, depth: 1 },
    });
    expect(await check(dev, id)).toEqual({ status: 200, body: { status: "running" } });
    const value = 'Approved "as is":\n\u0000 ü 🦙 </agent-call>';
    const answer = await world.post("/signals/return", { secret: run.secret, value });
    expect(answer).toEqual({ status: 200, body: { ok: true } });
    expect((await check(dev, id)).body).toEqual({ status: "running" });
    await world.end(id);
    const completed = { status: "completed", returnValue: value };
    expect(await check(dev, id)).toEqual({ status: 200, body: completed });
  });

  it("queues the call of a busy agent", async () => {
    const [first, second] = [await called(dev, "reviewer"), await called(dev, "reviewer")];
    await world.begun(first);
    expect((await check(dev, second)).body).toEqual({ status: "pending" });
    await world.end(first);
    await world.begun(second);
    expect((await check(dev, first)).body).toEqual({ status: "completed" });
    expect((await check(dev, second)).body).toEqual({ status: "running" });
  });

  it.each([
    [1, undefined, "the run of reviewer ended as failed (exit code 1)"],
    [11, undefined, "the run of reviewer ended as failed (exit code 11): permission denied"],
    [124, undefined, "the run of reviewer ended as timed-out (exit code 124)"],
    [
      137,
      "because",
      "the run of reviewer ended as killed (exit code 137): shut down by its agent: because",
    ],
  ])("tells the caller of exit code %i", async (code, reason, errorMessage) => {
    const id = await called(dev, "reviewer");
    const { secret } = await world.begun(id);
    await world.post("/signals/return", { secret, value: "half done" });
    if (reason === undefined) await world.end(id, code);
    else await world.post("/shutdown", { secret, reason });
    await expect
      .poll(async () => (await check(dev, id)).body)
      .toEqual({
        ...{ status: "error", errorMessage },
      });
  });

  it("never runs a called agent again: what wanted to be has completed", async () => {
    const id = await called(dev, "reviewer");
    const { secret } = await world.begun(id);
    await world.post("/signals/return", { secret, value: 1 });
    await world.end(id, 42);
    expect((await check(dev, id)).body).toEqual({ status: "completed", returnValue: 1 });
    expect(await world.ports.runs.list({ agent: "reviewer", limit: 9 })).toHaveLength(1);
  });
});

describe("the limits of calls", () => {
  it("refuse with a reason what can never be done", async () => {
    const agents = [agent("dev"), agent("reviewer"), agent("off", { scale: 0 })];
    world.world.release = release(agents, { workQueueSize: 1 });
    const reasonOf = async (target: string) => {
      const { status, body } = await call(dev, target);
      expect(body).toEqual({ ok: false, reason: expect.any(String) });
      return `${status} ${(body as { reason: string }).reason}`;
    };
    expect(await reasonOf("dev")).toBe("409 an agent cannot call itself");
    expect(await reasonOf("nobody")).toBe("409 there is no agent nobody in the live release");
    expect(await reasonOf("off")).toBe("409 agent off is disabled (scale = 0)");
    await world.begun(await called(dev, "reviewer"));
    await called(dev, "reviewer");
    expect(await reasonOf("reviewer")).toMatch(/^409 .*as many as workQueueSize allows$/);
  });

  it("let calls nest as deep as maxCallDepth says, whoever is called", async () => {
    const { reviewer, tester } = await nested();
    await called(tester, "writer");
    world.world.release = release(TEAM, { maxCallDepth: 2 });
    expect(await call(tester, "writer")).toEqual({
      status: 409,
      body: { ok: false, reason: "the call would be 3 deep, and maxCallDepth is 2" },
    });
    expect((await call(reviewer, "tester")).status).toBe(200);
    world.world.release = release([agent("dev"), agent("reviewer")], { maxCallDepth: 0 });
    expect((await call(dev, "reviewer")).status).toBe(409);
  });

  it("refuses a circle of callers that are under way, and no other", async () => {
    const { reviewer, tester } = await nested();
    const refused = (circle: string) => ({
      status: 409,
      body: { ok: false, reason: `the call would go in a circle: ${circle}` },
    });
    expect(await call(tester, "dev")).toEqual(refused("dev -> reviewer -> tester -> dev"));
    expect(await call(tester, "reviewer")).toEqual(refused("reviewer -> tester -> reviewer"));
    await world.end(reviewer.id);
    expect((await call(tester, "reviewer")).status).toBe(200);
    expect(await call(tester, "dev")).toEqual(refused("dev -> reviewer -> tester -> dev"));
  });
});

const TEAM = ["dev", "reviewer", "tester", "writer"].map((name) => agent(name));

/** dev calls reviewer, which calls tester; all are under way. */
async function nested() {
  world.world.release = release(TEAM);
  const reviewer = await world.begun(await called(dev, "reviewer"));
  const tester = await world.begun(await called(reviewer, "tester"));
  return { reviewer, tester };
}

describe("the body of a call", () => {
  it("makes one run when it is sent twice, also when the queue is full by then", async () => {
    world.world.release = release([agent("dev"), agent("reviewer")], { workQueueSize: 1 });
    await world.begun(await called(dev, "reviewer"));
    const id = await called(dev, "reviewer", { requestId: "a" });
    expect(await called(dev, "reviewer", { requestId: "a" })).toBe(id);
    expect((await call(dev, "reviewer", { requestId: "b" })).status).toBe(409);
  });

  it.each([
    [{ targetAgent: undefined }, "missing targetAgent"],
    [{ targetAgent: ["dev"] }, "targetAgent must be a string"],
    [{ context: undefined }, "missing context"],
    [{ requestId: "" }, "missing requestId"],
  ])("is refused with %j", async (more, error) => {
    expect(await call(dev, "reviewer", more)).toEqual({ status: 400, body: { error } });
  });

  it.each([
    ["nothing", ""],
    ["2 MiB", "x".repeat(2 * 1024 * 1024)],
    ["1 MiB that JSON makes six", "\u0001".repeat(1024 * 1024)],
    ["any JSON", { a: [1, null, "ü"] }],
  ])("may hold a context of %s", async (_what, context) => {
    const id = await called(dev, "reviewer", { context });
    expect(await world.triggerOf(id)).toMatchObject({ context });
  });

  it("is refused when it is nested too deeply to be kept", async () => {
    for (const depth of [2500, 5000, 10_000, 100_000, 1_000_000]) {
      const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`;
      const body = `{"secret":"${dev.secret}","targetAgent":"reviewer","context":${nested}}`;
      const { status } = await world.post("/calls", body);
      expect([200, 400, 409]).toContain(status);
      if (depth >= 100_000) expect(status).toBe(400);
    }
  });

  it("is refused when its context is larger, and so is a return value", async () => {
    const context = "x".repeat(2 * 1024 * 1024 + 1);
    const answer = await call(dev, "reviewer", { context });
    expect(answer).toEqual({
      ...{ status: 413, body: { error: "context is larger than 2097152 bytes" } },
    });
    const more = await call(dev, "reviewer", { context: "x".repeat(13 * 1024 * 1024) });
    expect(more).toMatchObject({ status: 413, body: { error: expect.any(String) } });
    const value = { secret: dev.secret, value: context };
    expect((await world.post("/signals/return", value)).status).toBe(413);
    expect(await world.ports.runs.list({ agent: "reviewer", limit: 9 })).toEqual([]);
  });
});

describe("GET /calls/:id", () => {
  it("answers nobody but the run that made the call", async () => {
    const id = await called(dev, "reviewer");
    const reviewer = await world.begun(id);
    const unknown = { status: 404, body: { error: "call not found" } };
    expect(await check(reviewer, id)).toEqual(unknown);
    expect(await check(dev, "01ARZ3NDEKTSV4RRFFQ69G5FAV")).toEqual(unknown);
    expect(await check(dev, dev.id)).toEqual(unknown);
    const next = await world.run("tester");
    expect(await check(next, id)).toEqual(unknown);
  });
});

describe("POST /signals/trigger", () => {
  it("makes a run without anybody waiting for it, within the same limits", async () => {
    const trigger = (targetAgent: string) =>
      world.post("/signals/trigger", { secret: dev.secret, targetAgent, context: { n: 1 } });
    expect(await trigger("reviewer")).toEqual({ status: 200, body: { ok: true } });
    const [run] = await world.ports.runs.list({ agent: "reviewer", limit: 1 });
    expect(run?.trigger).toMatchObject({ kind: "call", caller: "dev", depth: 1 });
    expect((await trigger("dev")).status).toBe(409);
  });
});

describe("a restart of the runtime", () => {
  it("loses neither a call nor its answer", async () => {
    const running = await called(dev, "reviewer");
    const waiting = await called(dev, "reviewer");
    const { secret } = await world.begun(running);
    await world.post("/signals/return", { secret, value: "kept" });
    await world.down();
    world.world.engine.end(`run-${running}`, 0);
    await world.up();
    await world.begun(waiting);
    expect((await check(dev, running)).body).toEqual({ status: "completed", returnValue: "kept" });
    await world.end(waiting);
    expect((await check(dev, waiting)).body).toEqual({ status: "completed" });
  });

  it("takes calls only when it has seen to what was there before", async () => {
    await world.down();
    await world.up({ adopt: false });
    const starting = { status: 503, body: { error: "this runtime is starting" } };
    expect(await call(dev, "reviewer")).toEqual(starting);
    await world.scheduler.start();
    expect((await call(dev, "reviewer")).status).toBe(200);
    world.world.release = undefined;
    expect((await call(dev, "reviewer")).status).toBe(503);
  });
});
