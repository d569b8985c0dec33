import { describe, expect, it } from "vitest";
import type { RunLimits, TokenUsage } from "../../../src/core/run-limits.ts";
import { agent, createWorld, release } from "./harness.ts";
import { settle } from "./simulated-clock.ts";

const HOUR = 3_600_000;

function limited(limits: RunLimits, more: object = {}) {
  const world = createWorld({ start: "2026-01-02T12:00:00Z" });
  world.release = release([agent("dev", { limits, ...more })]);
  world.engine.behaviour = () => ({ ms: 60_000, code: 0 });
  return world;
}

function used(totalTokens: number, cost = 0, turnCount = 1): TokenUsage {
  const kinds = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
  return { ...kinds, totalTokens, cost, turnCount };
}

describe("a run with limits", () => {
  it("is killed as soon as its log says that it is over one, with the reason", async () => {
    const world = limited({ maxTokensPerRun: 1000 });
    const scheduler = world.open();
    await scheduler.start();
    const { id } = await scheduler.trigger("dev");
    await world.clock.advance(1000);
    world.engine.listeners.get(id)?.(used(1000));
    await settle();
    expect(await world.store.get(id)).toMatchObject({ state: "running", usage: used(1000) });
    world.engine.listeners.get(id)?.(used(1001));
    await world.clock.advance(10);
    expect(await world.store.get(id)).toMatchObject({
      ...{ outcome: "over-budget", exitCode: 137, usage: used(1001) },
      detail: "it used 1001 tokens; maxTokensPerRun is 1000",
    });
    expect(world.warnings.map(({ message }) => message)).toContain(
      "run is over its budget and is killed",
    );
  });

  it("is killed by the next process when this one died before it could", async () => {
    const world = limited({ maxTurns: 2 });
    const first = world.open();
    await first.start();
    const { id } = await first.trigger("dev");
    await world.clock.advance(1000);
    await first.stop();
    await world.store.used(id, used(1, 0, 3));
    const second = world.open();
    await second.start();
    await world.clock.advance(10);
    expect(await world.store.get(id)).toMatchObject({
      ...{ outcome: "over-budget", detail: "it took 3 turns; maxTurns is 2" },
    });
  });

  it("keeps what a finished run used", async () => {
    const world = limited({ maxCostPerRun: 1 });
    const scheduler = world.open();
    await scheduler.start();
    const { id } = await scheduler.trigger("dev");
    await world.clock.advance(1000);
    world.engine.listeners.get(id)?.(used(5, 0.25));
    world.engine.listeners.get(id)?.(used(5, 0.1));
    await world.clock.advance(HOUR);
    expect(await world.store.get(id)).toMatchObject({ outcome: "completed", usage: used(5, 0.25) });
  });
});

describe("a run that writes its usage without end", () => {
  it("has only the last of what comes together stored", async () => {
    const world = limited({ maxTokensPerRun: 1e9 });
    let stored = 0;
    const { used: keep } = world.store;
    const store = {
      ...world.store,
      used: (...use: Parameters<typeof keep>) => {
        stored += 1;
        return keep(...use);
      },
    };
    const scheduler = world.open({ runner: world.engine, store });
    await scheduler.start();
    const { id } = await scheduler.trigger("dev");
    await world.clock.advance(1000);
    for (let n = 1; n <= 1000; n++) world.engine.listeners.get(id)?.(used(n));
    await settle();
    expect(stored).toBe(1);
    expect(await world.store.get(id)).toMatchObject({ usage: used(1000) });
  });
});

describe("an agent with limits of the day", () => {
  it("starts no run by hand over them, waiting ones counted, and says what to do", async () => {
    const world = limited({ maxRunsPerDay: 2 });
    const scheduler = world.open();
    await scheduler.start();
    await scheduler.trigger("dev");
    await scheduler.trigger("dev");
    await expect(scheduler.trigger("dev")).rejects.toMatchObject({
      ...{ code: "over-budget", blame: "user" },
      message:
        "agent dev is over its budget: it has 2 runs today; maxRunsPerDay is 2 (days end at midnight, UTC)",
      hint: expect.stringContaining("dev/agent-config.toml"),
    });
    await world.clock.advance(12 * HOUR);
    await scheduler.trigger("dev");
    await world.clock.advance(HOUR);
    expect(await world.history()).toEqual(Array(3).fill("dev manual completed"));
  });

  it("skips its schedule's ticks, and says so once a day", async () => {
    const limits = { maxRunsPerDay: 3 };
    const world = limited(limits, { schedule: "*/10 * * * *", timezone: "Europe/Berlin" });
    const scheduler = world.open();
    await scheduler.start();
    await world.clock.advance(2 * HOUR);
    expect(await world.history()).toHaveLength(3);
    expect(await scheduler.agents()).toMatchObject([
      { today: { runs: 3, cost: 0 }, overBudget: "it has 3 runs today; maxRunsPerDay is 3" },
    ]);
    // Midnight in Berlin is 23:00 UTC.
    await world.clock.advance(9.5 * HOUR);
    expect(await world.history()).toHaveLength(6);
    expect(world.warnings.map(({ message }) => message)).toEqual([
      "scheduled runs are skipped",
      "scheduled runs are skipped",
    ]);
  });

  it("counts the money of runs that started today, and drops what waits when it is spent", async () => {
    const world = limited({ maxCostPerDay: 1 });
    const scheduler = world.open();
    await scheduler.start();
    const { id } = await scheduler.trigger("dev");
    const waiting = await scheduler.trigger("dev");
    await world.clock.advance(1000);
    world.engine.listeners.get(id)?.(used(5, 1.5));
    await world.clock.advance(HOUR);
    expect(await world.store.get(id)).toMatchObject({ outcome: "completed" });
    expect(await world.store.get(waiting.id)).toMatchObject({
      outcome: "cancelled",
      detail: expect.stringContaining("its runs cost $1.5000 today; maxCostPerDay is 1"),
    });
  });
});
