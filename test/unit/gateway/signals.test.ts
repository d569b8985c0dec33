import { afterEach, beforeEach, expect, it } from "vitest";
import { runAnswer } from "../../../src/gateway/control-schema.ts";
import { GatewayWorld, type LiveRun } from "./gateway-world.ts";

let world: GatewayWorld;
let run: LiveRun;
beforeEach(async () => {
  world = await GatewayWorld.create();
  run = await world.run();
});
afterEach(() => world.dispose());

const send = (name: string, more: object = {}) =>
  world.post(`/signals/${name}`, { secret: run.secret, ...more });
const done = { status: 200, body: { ok: true } };

it("shows an agent's last status with its run", async () => {
  expect(await send("status", { text: "reading" })).toEqual(done);
  expect(await send("status", { text: "reviewing PR #42" })).toEqual(done);
  await world.down();
  await world.up();
  const stored = await world.ports.runs.get(run.id);
  expect(stored && runAnswer(stored)).toMatchObject({ statusText: "reviewing PR #42" });
});

it("runs a run again that asked for it and ended well", async () => {
  expect(await send("rerun")).toEqual(done);
  await world.end(run.id, 0);
  const [next, first] = await world.ports.runs.list({ limit: 9 });
  expect(first).toMatchObject({ id: run.id, outcome: "rerun" });
  expect(next).toMatchObject({ rerunOf: run.id, reruns: 1 });
  expect(next).not.toHaveProperty("rerunAsked");
});

it("does not run a run again that asked for it and failed", async () => {
  await send("rerun");
  await world.end(run.id, 1);
  expect(await world.ports.runs.list({ limit: 9 })).toHaveLength(1);
});

it.each([
  ["status", {}, "missing text"],
  ["status", { text: 7 }, "text must be a string"],
  ["status", { text: "x".repeat(1001) }, "text is longer than 1000 characters"],
  ["return", {}, "missing value"],
])("refuses %s %j", async (name, more, error) => {
  expect(await send(name, more)).toEqual({ status: 400, body: { error } });
});
