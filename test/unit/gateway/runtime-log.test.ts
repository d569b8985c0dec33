import { beforeEach, expect, test } from "vitest";
import { controlApi } from "../../../src/gateway/control-api.ts";
import { RuntimeLogEvent } from "../../../src/gateway/control-schema.ts";
import { settle } from "../schedule/simulated-clock.ts";
import { createPorts } from "./harness.ts";

let ports: ReturnType<typeof createPorts>;
let app: ReturnType<typeof controlApi>;
beforeEach(() => {
  ports = createPorts();
  app = controlApi(ports);
  for (let n = 1; n <= 5; n += 1) say(n);
});

function say(n: number): void {
  const facts = { level: "info", fields: { agent: "dev" } } as const;
  ports.state.said.push({ ...facts, time: n * 1000, message: `line ${n}`, cursor: n * 10 });
}

async function read(query: string): Promise<string[]> {
  const response = await app.request(`/api/logs/scheduler${query}`);
  const lines = (await response.text()).split("\n").filter((text) => text !== "");
  return lines.map((text) => RuntimeLogEvent.parse(JSON.parse(text)).message.slice(5));
}

test.each([
  ["", ["1", "2", "3", "4", "5"]],
  ["?lines=2", ["4", "5"]],
  ["?lines=0", []],
  ["?cursor=30", ["4", "5"]],
  ["?after=2000&before=4000", ["2", "3"]],
  ["?after=2000&lines=3", ["3", "4", "5"]],
])("the runtime's log %s is %s", async (query, expected) => {
  expect(await read(query)).toEqual(expected);
});

test("it is followed until `before`, or until who reads goes away", async () => {
  const before = ports.clock.now() + 5000;
  const followed = read(`?follow=1&lines=1&before=${before}`);
  await settle();
  say(6);
  await ports.clock.advance(1000);
  say(7);
  await ports.clock.advance(1000);
  await ports.clock.advance(5000);
  expect(await followed).toEqual(["5", "6", "7"]);
  expect(ports.clock.sleepers).toBe(0);
  const response = await app.request("/api/logs/scheduler?follow=1&cursor=70");
  await settle();
  expect(ports.clock.sleepers).toBe(1);
  await response.body?.cancel();
  await settle();
  expect(ports.clock.sleepers).toBe(0);
});
