import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jsonLines } from "../world/al.ts";
import { startController } from "../world/controller.ts";
import { addCredential } from "../world/home.ts";
import { hostState, resetHost } from "../world/host-state.ts";
import { controlAndKill, describeKillPoint, type KillPoint } from "../world/kill.ts";
import { instructions, writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const PROJECT = "killed";

const FIRST_STEPS = [
  "prepare-project",
  "record-inventory",
  "deliver-image",
  "create-network",
  "write-release",
  "write-credentials",
  "create-runtime",
  "switch",
];

/** Before, inside and after every step of a first deployment, and while it is confirmed. */
const FIRST_POINTS: KillPoint[] = [
  ...FIRST_STEPS.flatMap((step) => [
    { event: "action-started", step, afterMs: 0 },
    { event: "action-started", step, afterMs: step === "deliver-image" ? 700 : 15 },
    { event: "action-finished", step, afterMs: 0 },
  ]),
  { event: "confirming", afterMs: 0 },
  { event: "confirming", afterMs: 400 },
];

/** The same for a second revision, which also removes what the first one left. */
const NEXT_POINTS: KillPoint[] = [
  { step: "record-inventory", phase: "prepare" },
  { step: "write-release" },
  { step: "switch" },
  { step: "record-inventory", phase: "retire" },
  { step: "remove" },
].flatMap((place) => [
  { ...place, event: "action-started", afterMs: 0 },
  { ...place, event: "action-started", afterMs: 10 },
  { ...place, event: "action-finished", afterMs: 0 },
]);

const killed = new Map<string, number>();
let world: World;

beforeAll(async () => {
  world = await createWorld("killed", () => {});
  await addCredential(world.home, "anthropic_key/default/token", "sk-not-used");
  await writeSampleProject(world.copy, {
    project: PROJECT,
    baseImage: world.lab.baseImage,
    host: { name: "one", address: world.host.address, port: world.host.port },
    model: { provider: "anthropic", model: "claude-scripted", baseUrl: "http://127.0.0.1:9" },
  });
  await world.copy.commit("first");
  await world.copy.push();
  await world.approveAll();
  orFail(await world.al("apply"));
});

afterAll(async () => {
  const rows = [...killed].map(([point, times]) => `  ${String(times).padStart(2)} x ${point}`);
  process.stdout.write(`killed with SIGKILL at ${killed.size} points:\n${rows.join("\n")}\n`);
  await world?.remove(PROJECT);
});

/** Kills a controller at the point, if it gets there, and expects the next one to converge. */
async function killAndConverge(point: KillPoint): Promise<void> {
  const name = describeKillPoint(point);
  if (await controlAndKill(point, world.bare, world.options)) {
    killed.set(name, (killed.get(name) ?? 0) + 1);
  } else {
    // A step shorter than the delay: the pass was over before the kill.
    expect(point.afterMs, `${name}: the pass never got there`).toBeGreaterThan(0);
  }
  await converge();
  const plan = await world.al("--json", "plan");
  expect(plan.code, plan.stdout).toBe(0);
  const state = await hostState(world.host, PROJECT);
  expect(state.runningRuntimes).toEqual([state.current.runtime]);
  expect(state.temporary).toEqual([]);
  expect(state.releases).toEqual([state.current.release]);
  expect(state.credentialSets).toEqual([state.current.credentials]);
  expect(state.unlisted).toEqual([]);
}

/** Starts a new controller, as an operator or systemd would, and waits for its first result. */
async function converge(): Promise<void> {
  const controller = startController(world.bare, world.options);
  try {
    const { event } = await controller.until("its first result", ({ kind }) => kind === "result");
    expect(["applied", "in-sync"]).toContain((event.result as { kind: string }).kind);
  } finally {
    await controller.stop();
  }
}

describe("a controller killed at any moment", () => {
  test.each(FIRST_POINTS.map((point) => [describeKillPoint(point), point] as const))(
    "is followed by one that converges when a first deployment was killed %s",
    async (_name, point) => {
      await resetHost(world.host, PROJECT, { agentImage: point.step === "deliver-image" });
      await killAndConverge(point);
    },
  );

  test.each(NEXT_POINTS.map((point, index) => [describeKillPoint(point), point, index] as const))(
    "is followed by one that converges when a second revision was killed %s",
    async (_name, point, index) => {
      await world.copy.write("greeter/ACTIONS.md", instructions(`word${index}`));
      await world.copy.commit(`change ${index}`);
      await world.copy.push();
      await killAndConverge(point);
    },
  );

  test("leaves a host on which the agent's next change is an ordinary one", async () => {
    await world.copy.write("greeter/ACTIONS.md", instructions("last"));
    const commit = await world.copy.commit("last");
    await world.copy.push();
    const { stdout } = orFail(await world.al("--json", "apply"));
    const finished = jsonLines(stdout).filter(({ kind }) => kind === "action-finished");
    const steps = finished.map(({ action }) => (action as { step: { kind: string } }).step.kind);
    expect(steps).toEqual([
      "record-inventory",
      "write-release",
      "switch",
      "record-inventory",
      "remove",
    ]);
    expect((await hostState(world.host, PROJECT)).current.revision).toBe(commit);
  });
});
