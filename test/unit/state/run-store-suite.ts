import { expect, it } from "vitest";
import type { NewRun, Run, StartIntent } from "../../../src/core/run.ts";
import type { RunStore } from "../../../src/schedule/ports.ts";

const intent: StartIntent = {
  revision: "r1",
  release: "release",
  image: "image",
  credentials: "set",
  container: "al-p-run-1",
  timeoutSeconds: 60,
  secretHash: "5ec7e7",
};

/** What every RunStore does. */
export function runStoreSuite(open: () => RunStore): void {
  acceptance(open);
  transitions(open);
  puttingBack(open);
  usage(open);
  queue(open);
}

function acceptance(open: () => RunStore): void {
  it("accepts a run as queued", async () => {
    const store = open();
    expect(await store.accept(newRun("1"))).toBe(true);
    const expected = { ...newRun("1"), state: "queued" };
    expect(await store.get("1")).toEqual(expected);
    expect(await store.unfinished()).toEqual([expected]);
  });

  it("accepts one run for a key, however often it comes", async () => {
    const store = open();
    expect(await store.accept(newRun("1", { key: "schedule/dev/1" }))).toBe(true);
    expect(await store.accept(newRun("2", { key: "schedule/dev/1" }))).toBe(false);
    expect(await store.get("2")).toBeUndefined();
    expect((await store.byKey("schedule/dev/1"))?.id).toBe("1");
    expect(await store.byKey("schedule/dev/2")).toBeUndefined();
    expect(await store.accept(newRun("3"))).toBe(true);
    expect(await store.accept(newRun("4"))).toBe(true);
  });

  it("lists the newest first, by agent if asked", async () => {
    const store = open();
    for (const id of ["1", "2", "3"]) await store.accept(newRun(id));
    await store.accept(newRun("4", { agent: "other" }));
    expect((await store.list({ limit: 2 })).map(({ id }) => id)).toEqual(["4", "3"]);
    expect((await store.list({ agent: "dev", limit: 2 })).map(({ id }) => id)).toEqual(["3", "2"]);
  });

  it("gives a trigger back as it came, and a run without its context", async () => {
    const store = open();
    const facts = { kind: "call", caller: "dev", callerRun: "0", depth: 1 } as const;
    const trigger = { ...facts, context: { text: "ü\u0000\n" } };
    await store.accept(newRun("1", { trigger }));
    expect((await store.get("1"))?.trigger).toEqual(facts);
    expect(await store.trigger("1")).toEqual(trigger);
  });

  it("keeps a context of 10 MB whole, until its run has ended", async () => {
    const store = open();
    const facts = { kind: "webhook", source: "github" } as const;
    const trigger = { ...facts, context: { text: "x".repeat(10 * 1024 * 1024) } };
    await store.accept(newRun("1", { trigger }));
    await store.starting("1", intent);
    expect(await store.trigger("1")).toEqual(trigger);
    await store.finished("1", { outcome: "completed", endedAt: 1 });
    expect(await store.trigger("1")).toEqual(facts);
    await expect(store.trigger("2")).rejects.toMatchObject({ code: "run-state" });
  });
}

function transitions(open: () => RunStore): void {
  it("keeps what a run was started with, and never gives the secret's hash back", async () => {
    const store = open();
    await store.accept(newRun("1"));
    await store.starting("1", intent);
    const { secretHash: _secretHash, ...start } = intent;
    expect(await store.get("1")).toMatchObject({ state: "starting", start });
    expect(JSON.stringify(await store.get("1"))).not.toContain(intent.secretHash);
    await store.running("1", 5000);
    expect(await store.get("1")).toMatchObject({ state: "running", startedAt: 5000, start });
  });

  it("finds the unfinished run of a secret", async () => {
    const store = open();
    await store.accept(newRun("1"));
    await store.starting("1", intent);
    expect((await store.bySecret(intent.secretHash))?.id).toBe("1");
    expect(await store.bySecret("other")).toBeUndefined();
    await store.finished("1", { outcome: "completed", endedAt: 9000, exitCode: 0 });
    expect(await store.bySecret(intent.secretHash)).toBeUndefined();
  });

  it("refuses a step that does not follow from the run's state", async () => {
    const store = open();
    await store.accept(newRun("1"));
    await expect(store.running("1", 1)).rejects.toMatchObject({ code: "run-state" });
    await expect(store.requeue("1")).rejects.toMatchObject({ code: "run-state" });
    await expect(store.starting("nobody", intent)).rejects.toMatchObject({ code: "run-state" });
    await store.finished("1", { outcome: "cancelled", endedAt: 1 });
    await expect(store.starting("1", intent)).rejects.toMatchObject({ code: "run-state" });
  });

  it("keeps the first reason of a kill and the first end of a run", async () => {
    const store = open();
    await store.accept(newRun("1"));
    await store.starting("1", intent);
    await store.killing("1", { reason: "timed-out" });
    await store.killing("1", { reason: "killed", detail: "too late" });
    expect(await store.get("1")).not.toHaveProperty("killDetail");
    await store.finished("1", { outcome: "timed-out", endedAt: 10, startedAt: 4 });
    await store.finished("1", { outcome: "completed", endedAt: 20 }, newRun("2"));
    expect(await store.get("1")).toMatchObject({
      ...{ state: "finished", outcome: "timed-out", killReason: "timed-out" },
      ...{ startedAt: 4, endedAt: 10 },
    });
    expect(await store.get("2")).toBeUndefined();
  });

  it("accepts a rerun together with the end that asks for it", async () => {
    const store = open();
    await store.accept(newRun("1"));
    const rerun = newRun("2", { key: "rerun/1", rerunOf: "1", reruns: 1 });
    await store.finished("1", { outcome: "rerun", endedAt: 10, exitCode: 42 }, rerun);
    const { key: _key, ...stored } = rerun;
    expect(await store.unfinished()).toEqual([{ ...stored, state: "queued" }]);
  });
}

function puttingBack(open: () => RunStore): void {
  it("puts a start without effect back into the queue, and forgets its intent", async () => {
    const store = open();
    await store.accept(newRun("1"));
    await store.starting("1", intent);
    await store.made("1", { imageId: "sha256:1", credentialVersions: { "a:b": "1" } });
    expect(await store.requeue("1")).toBe(true);
    expect(await store.get("1")).toEqual({ ...newRun("1"), state: "queued" });
    expect(await store.bySecret(intent.secretHash)).toBeUndefined();
  });

  it("does not put a run back that is to be killed", async () => {
    const store = open();
    await store.accept(newRun("1"));
    await store.starting("1", intent);
    await store.killing("1", { reason: "killed", detail: "x" });
    const before = await store.get("1");
    expect(await store.requeue("1")).toBe(false);
    expect(await store.get("1")).toEqual(before);
  });
}

function usage(open: () => RunStore): void {
  it("keeps what a run was made from", async () => {
    const store = open();
    const made = { imageId: "sha256:1", credentialVersions: { "git_ssh:bot": "5" } };
    await store.accept(newRun("1"));
    await store.starting("1", intent);
    await store.made("1", made);
    await store.finished("1", { outcome: "completed", endedAt: 1 });
    expect(await store.get("1")).toMatchObject({ made, outcome: "completed" });
  });

  it("keeps what a run used and its limits, and sums up the runs of a day by their start", async () => {
    const store = open();
    const usage = {
      ...{ inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4 },
      ...{ totalTokens: 10, cost: 0.5, turnCount: 1 },
    };
    for (const id of ["1", "2", "3", "4"]) await store.accept(newRun(id));
    for (const id of ["1", "2", "3"]) {
      await store.starting(id, { ...intent, limits: { maxTurns: 3 } });
    }
    await store.running("1", 5000);
    await store.running("2", 6000);
    await store.used("2", usage);
    expect(await store.usedSince("dev", 6000)).toEqual({ runs: 2, cost: 0.5 });
    expect(await store.usedSince("dev", 5000)).toEqual({ runs: 3, cost: 0.5 });
    expect(await store.usedSince("other", 0)).toEqual({ runs: 0, cost: 0 });
    await store.finished("2", { outcome: "over-budget", endedAt: 7000 });
    await store.used("2", { ...usage, cost: 0 });
    expect(await store.get("2")).toMatchObject({ usage, start: { limits: { maxTurns: 3 } } });
  });
}

function queue(open: () => RunStore): void {
  const ids = (runs: readonly Run[]) => runs.map(({ id }) => id);

  it("tells runs that are active from those that wait", async () => {
    const store = open();
    for (const id of ["1", "2", "3", "4"]) await store.accept(newRun(id));
    for (const id of ["3", "2", "1"]) await store.starting(id, { ...intent, secretHash: id });
    await store.running("3", 1);
    await store.finished("1", { outcome: "completed", endedAt: 2 });
    expect(ids(await store.active())).toEqual(["2", "3"]);
    expect(ids(await store.unfinished())).toEqual(["2", "3", "4"]);
  });

  it("gives the oldest queued run of each agent, whose turn it is first", async () => {
    const store = open();
    const accept = (id: string, agent: string) => store.accept(newRun(id, { agent }));
    const start = (id: string) => store.starting(id, { ...intent, secretHash: id });
    expect(await store.heads()).toEqual([]);
    for (const id of ["1", "2", "3"]) await accept(id, "a");
    for (const id of ["4", "5"]) await accept(id, "b");
    for (const id of ["6", "7"]) await accept(id, "c");
    expect(ids(await store.heads())).toEqual(["1", "4", "6"]);
    await start("4");
    await store.finished("4", { outcome: "failed", endedAt: 1 });
    await start("1");
    expect(ids(await store.heads())).toEqual(["6", "5", "2"]);
    await start("5");
    expect(ids(await store.heads())).toEqual(["6", "2"]);
    await store.requeue("5");
    expect(ids(await store.heads())).toEqual(["6", "2", "5"]);
  });

  it("gives what a run called and still waits, the oldest of each agent", async () => {
    const store = open();
    const by = (callerRun: string) =>
      ({ kind: "call", caller: "dev", callerRun, depth: 1, context: null }) as const;
    await store.accept(newRun("1", { agent: "a", trigger: by("0") }));
    await store.accept(newRun("2", { agent: "b", trigger: by("0") }));
    await store.accept(newRun("3", { agent: "b", trigger: by("0") }));
    await store.accept(newRun("4", { agent: "c", trigger: by("9") }));
    expect(ids(await store.calledBy("0"))).toEqual(["1", "2"]);
    await store.starting("2", intent);
    expect(ids(await store.calledBy("0"))).toEqual(["1", "3"]);
    expect(await store.calledBy("1")).toEqual([]);
  });

  it("counts what waits of an agent, as far as it is asked to", async () => {
    const store = open();
    for (const id of ["1", "2", "3"]) await store.accept(newRun(id));
    await store.accept(newRun("4", { agent: "other", trigger: { kind: "schedule" } }));
    await store.starting("1", intent);
    expect(await store.countQueued({ agent: "dev" })).toBe(2);
    expect(await store.countQueued({ agent: "dev", upTo: 1 })).toBe(1);
    expect(await store.countQueued({ agent: "nobody", upTo: 1 })).toBe(0);
    expect(await store.hasQueued("dev", "manual")).toBe(true);
    expect(await store.hasQueued("dev", "schedule")).toBe(false);
    expect(await store.hasQueued("other", "schedule")).toBe(true);
  });

  it("ends an agent's oldest queued runs, and nothing else", async () => {
    const store = open();
    for (const id of ["1", "2", "3", "4"]) await store.accept(newRun(id));
    await store.accept(newRun("5", { agent: "other" }));
    await store.starting("1", intent);
    const end = { outcome: "cancelled", endedAt: 9, detail: "gone" } as const;
    expect(await store.finishQueued("dev", end, 2)).toEqual(["2", "3"]);
    expect(await store.get("2")).toMatchObject({ state: "finished", ...end });
    expect(ids(await store.unfinished())).toEqual(["1", "4", "5"]);
    expect(await store.finishQueued("dev", end, 2)).toEqual(["4"]);
    expect(await store.finishQueued("dev", end, 2)).toEqual([]);
  });
}

function newRun(id: string, more: Partial<NewRun> = {}): NewRun {
  return { id, agent: "dev", trigger: { kind: "manual" }, createdAt: 1000, reruns: 0, ...more };
}
