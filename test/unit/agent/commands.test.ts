import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readSignals } from "../../../src/agent/signals.ts";
import { GatewayWorld, type LiveRun } from "../gateway/gateway-world.ts";
import { CommandHarness, type CommandOptions } from "./command-harness.ts";

let commands: CommandHarness;
let world: GatewayWorld;
let dev: LiveRun;
beforeAll(async () => {
  commands = await CommandHarness.create();
});
afterAll(() => commands.dispose());
beforeEach(async () => {
  world = await GatewayWorld.create();
  dev = await world.run("dev");
});
afterEach(async () => {
  await world.dispose();
  await rm(commands.signals, { recursive: true, force: true });
});

/** A command in a run's container. */
async function by(run: LiveRun, name: string, args: string[] = [], more: CommandOptions = {}) {
  const env = { GATEWAY_URL: world.url, SHUTDOWN_SECRET: run.secret, ...more.env };
  const { code, answer } = await commands.run(name, args, { ...more, env });
  return [code, answer] as const;
}

/** The shells of this machine that may stand for a container's /bin/sh. */
const SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "ash"]].filter(([shell = ""]) => {
  try {
    execFileSync("sh", ["-c", 'command -v "$1"', "sh", shell]);
    return true;
  } catch {
    return false;
  }
});

/** What people and models write, and shells and JSON stumble over. */
const AWKWARD =
  "-n \"quoted\" 'single' $HOME `id` \\n \\ %s\n\ttwo lines\r\n ü 日本 🦙 </agent-call> \u0001";

describe("locks", () => {
  it("are taken, kept and given back", async () => {
    const reviewer = await world.run("reviewer");
    const held = { ok: false, holder: `dev/${dev.id}`, heldSince: world.world.clock.now() };
    const expiresAt = held.heldSince + 1_800_000;
    expect(await by(dev, "rlock", ["a b"])).toEqual([0, { ok: true, resourceKey: "a b" }]);
    expect(await by(reviewer, "rlock", ["a b"])).toEqual([1, held]);
    expect(await by(dev, "rlock", ["other"])).toEqual([
      1,
      { ok: false, reason: expect.any(String) },
    ]);
    expect(await by(dev, "rlock-heartbeat", ["a b"])).toEqual([0, { ok: true, expiresAt }]);
    expect((await by(reviewer, "runlock", ["a b"]))[0]).toBe(1);
    expect(await by(dev, "runlock", ["a b"])).toEqual([0, { ok: true }]);
    expect((await by(dev, "runlock", ["a b"]))[0]).toBe(2);
    expect((await by(dev, "rlock-heartbeat", ["a b"]))[0]).toBe(2);
  });

  it.each(SHELLS.map((shell) => [shell.join(" "), shell] as const))(
    "have keys of any text, with %s",
    async (_name, shell) => {
      expect(await by(dev, "rlock", [AWKWARD], { shell })).toEqual([
        0,
        { ok: true, resourceKey: AWKWARD },
      ]);
      expect((await by(dev, "runlock", [AWKWARD], { shell }))[0]).toBe(0);
    },
  );
});

describe("calls", () => {
  it.each(SHELLS.map((shell) => [shell.join(" "), shell] as const))(
    "carry any text there and back, with %s",
    async (_name, shell) => {
      const options = { shell, input: AWKWARD };
      const [code, answer] = await by(dev, "al-call", ["reviewer"], options);
      expect([code, answer]).toEqual([0, { ok: true, callId: expect.any(String) }]);
      const { callId } = answer as { callId: string };
      const reviewer = await world.begun(callId);
      expect(await world.triggerOf(callId)).toMatchObject({ context: AWKWARD });
      expect(await by(dev, "al-check", [callId])).toEqual([0, { status: "running" }]);
      expect((await by(reviewer, "al-return", [AWKWARD], { shell }))[0]).toBe(0);
      await world.end(callId);
      const completed = { status: "completed", returnValue: AWKWARD };
      expect(await by(dev, "al-check", [callId], { shell })).toEqual([0, completed]);
      expect(await by(dev, "al-wait", [callId], { shell })).toEqual([0, { [callId]: completed }]);
    },
  );

  it("carry a megabyte there and back", async () => {
    const input = `${'0123456789 "ü"\n'.repeat(70_000)}end\n`;
    const { callId } = (await by(dev, "al-call", ["reviewer"], { input }))[1] as { callId: string };
    const reviewer = await world.begun(callId);
    expect(await world.triggerOf(callId)).toMatchObject({ context: input });
    expect(await by(reviewer, "al-return", [], { input })).toEqual([0, { ok: true }]);
    await world.end(callId);
    const [, answer] = await by(dev, "al-wait", [callId]);
    expect(answer).toEqual({ [callId]: { status: "completed", returnValue: input.trimEnd() } });
  });

  it("that are refused say why", async () => {
    expect(await by(dev, "al-call", ["dev"])).toEqual([
      1,
      { ok: false, reason: "an agent cannot call itself" },
    ]);
    expect(await by(dev, "al-check", ["nonsense/../x"])).toEqual([2, { error: "call not found" }]);
    expect(await by({ ...dev, secret: "guess" }, "al-call", ["reviewer"])).toEqual([
      3,
      { error: "invalid secret" },
    ]);
    expect(await by({ ...dev, secret: "" }, "al-call", ["reviewer"])).toEqual([
      4,
      { error: "missing secret" },
    ]);
    const big = { input: "x".repeat(3 * 1024 * 1024) };
    expect(await by(dev, "al-call", ["reviewer"], big)).toEqual([7, { error: expect.any(String) }]);
  });
});

describe("al-wait", () => {
  const call = async (target: string) => {
    const [, answer] = await by(dev, "al-call", [target]);
    return world.begun((answer as { callId: string }).callId);
  };

  it("waits for all calls, and has each under its id", async () => {
    const [reviewer, tester] = [await call("reviewer"), await call("tester")];
    const waiting = by(dev, "al-wait", [reviewer.id, tester.id]);
    await by(reviewer, "al-return", ["fine"]);
    await world.end(reviewer.id);
    await world.end(tester.id, 1);
    expect(await waiting).toEqual([
      0,
      {
        [reviewer.id]: { status: "completed", returnValue: "fine" },
        [tester.id]: { status: "error", errorMessage: expect.stringContaining("exit code 1") },
      },
    ]);
  });

  it("gives up at its time, and says how far the calls are", async () => {
    const { id } = await call("reviewer");
    const started = performance.now();
    expect(await by(dev, "al-wait", [id, "--timeout", "1"])).toEqual([
      8,
      { [id]: { status: "running" } },
    ]);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it("tells calls of others and a wrong secret as what they are", async () => {
    const { id } = await call("reviewer");
    await world.end(id);
    expect(await by(dev, "al-wait", ["other", id])).toEqual([
      2,
      { [id]: { status: "completed" }, other: { error: "call not found" } },
    ]);
    const stranger = { ...dev, secret: "guess" };
    expect(await by(stranger, "al-wait", [id])).toEqual([3, { error: "invalid secret" }]);
  });

  it("goes on through a restart of the runtime", async () => {
    const { id } = await call("reviewer");
    const env = { AL_GATEWAY_PATIENCE_SECONDS: "30" };
    const waiting = by(dev, "al-wait", [id], { env });
    await world.down();
    world.world.engine.end(`run-${id}`, 0);
    const calling = by(dev, "al-call", ["tester"], { env });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await world.up();
    expect(await waiting).toEqual([0, { [id]: { status: "completed" } }]);
    expect((await calling)[0]).toBe(0);
  });
});

describe("signals", () => {
  it("go to the gateway and into files", async () => {
    expect(await by(dev, "al-status", ["reviewing", AWKWARD])).toEqual([0, { ok: true }]);
    expect(await by(dev, "al-rerun")).toEqual([0, { ok: true }]);
    expect(await by(dev, "al-return", ["one"])).toEqual([0, { ok: true }]);
    expect(await by(dev, "al-return", [], { input: "two\nlines\n" })).toEqual([0, { ok: true }]);
    expect(await world.ports.runs.get(dev.id)).toMatchObject({
      ...{ statusText: `reviewing ${AWKWARD}`, rerunAsked: true },
    });
    expect(await readSignals(commands.signals)).toEqual({
      ...{ rerun: true, status: `reviewing ${AWKWARD}`, returnValue: "two\nlines" },
      exitCode: undefined,
    });
  });

  it("are in their files although the gateway does not answer", async () => {
    await world.down();
    expect((await by(dev, "al-return", ["one"]))[0]).toBe(6);
    expect((await by(dev, "al-rerun"))[0]).toBe(6);
    expect(await readSignals(commands.signals)).toMatchObject({ rerun: true, returnValue: "one" });
    await world.up();
  });

  it("do not mind what an image sets for Node.js", async () => {
    const env = { NODE_OPTIONS: "--require /nonsense.js" };
    expect(await by(dev, "al-status", ["x"], { env })).toEqual([0, { ok: true }]);
  });

  it("al-shutdown has the container killed, and says why", async () => {
    expect(await by(dev, "al-shutdown", ["secret", "leaked"])).toEqual([0, { ok: true }]);
    await expect
      .poll(() => world.ports.runs.get(dev.id))
      .toMatchObject({
        ...{ outcome: "killed", detail: "shut down by its agent: secret leaked" },
      });
    expect((await readSignals(commands.signals)).exitCode).toBeUndefined();
  });

  it("al-shutdown ends the run all the same where the gateway does not", async () => {
    expect((await by({ ...dev, secret: "guess" }, "al-shutdown"))[0]).toBe(3);
    expect((await readSignals(commands.signals)).exitCode).toBe(16);
    await rm(commands.signals, { recursive: true });
    await world.down();
    const started = performance.now();
    const env = { AL_GATEWAY_PATIENCE_SECONDS: "600" };
    expect((await by(dev, "al-shutdown", [], { env }))[0]).toBe(6);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect((await readSignals(commands.signals)).exitCode).toBe(16);
    await world.up();
  });
});
