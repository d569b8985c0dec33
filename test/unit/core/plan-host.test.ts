import { expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import type { ObservedHost } from "../../../src/core/observed.ts";
import type { Step } from "../../../src/core/plan.ts";
import { planHost } from "../../../src/core/plan-host.ts";
import { explainUnconfirmed, isConfirmed } from "../../../src/core/plan-switch.ts";
import { resolveTarget } from "../../../src/core/target.ts";
import { observeMachine } from "../../memory-host/observe.ts";
import { hostSpec } from "../../memory-host/specs.ts";
import { createWorld } from "../../memory-host/world.ts";

const TOKEN = "github_token/default/token";
const WORDS = { revision: "r1", agents: { dev: { actions: "Fix issues.", credentials: [TOKEN] } } };
const spec = hostSpec(WORDS);

/** A host on which `spec` was deployed and confirmed, as it is observed. */
async function deployed() {
  const world = createWorld();
  world.values.set(TOKEN, new Secret("a"));
  expect(await world.pass(spec)).toMatchObject({ kind: "applied" });
  const observed = observeMachine(world.machine, "acme");
  const { held: versions } = await world.deps.credentials.holdings(
    spec.credentials,
    observed.credentialKey ?? "",
  );
  return { observed, versions };
}

/** The kinds of the steps of a plan, for a host that differs in these facts. */
async function stepsWith(
  change: (observed: ObservedHost) => Partial<ObservedHost>,
  wanted = spec,
): Promise<Step["kind"][]> {
  const { observed, versions } = await deployed();
  const plan = planHost(wanted, { ...observed, ...change(observed) }, versions);
  return plan.actions.map(({ step }) => step.kind);
}

test("a host that is as desired gets no actions", async () => {
  expect(await stepsWith(() => ({}))).toEqual([]);
});

test("phases come in order, whatever has to be done", async () => {
  const wanted = hostSpec({ ...WORDS, revision: "r2", runtime: "2", agents: {} });
  const { observed, versions } = await deployed();
  const phases = planHost(wanted, observed, versions).actions.map(({ phase }) => phase);
  const order = ["prepare", "switch", "retire"];
  expect(phases).toEqual(phases.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)));
  expect(new Set(phases)).toEqual(new Set(order));
});

test("what is to be made is listed before anything is made, together with what is still listed", async () => {
  const { observed, versions } = await deployed();
  const wanted = hostSpec({ ...WORDS, revision: "r2", runtime: "2" });
  const steps = planHost(wanted, observed, versions).actions.map(({ step }) => step);
  const [first] = steps;
  expect(first).toMatchObject({ kind: "record-inventory" });
  const { inventory } = first as Extract<Step, { kind: "record-inventory" }>;
  expect(inventory.items).toEqual(expect.arrayContaining([...observed.inventory.items]));
  expect(inventory.items).toContainEqual({ kind: "image", id: wanted.runtime.image });
});

test.each(["created", "exited"])("a runtime that is %s is switched to again", async (state) => {
  const steps = await stepsWith(({ containers }) => ({
    containers: containers.map((container) => ({ ...container, state })),
  }));
  expect(steps).toEqual(["switch"]);
});

test.each(["paused", "dead", "removing"])(
  "a runtime that is %s is made anew, since Docker starts nothing from there",
  async (state) => {
    const steps = await stepsWith(({ containers }) => ({
      containers: containers.map((container) => ({ ...container, state })),
    }));
    expect(steps).toEqual(["replace-runtime", "switch"]);
  },
);

test("a runtime that restarts is left to itself", async () => {
  const steps = await stepsWith(({ containers }) => ({
    containers: containers.map((container) => ({ ...container, state: "restarting" })),
  }));
  expect(steps).toEqual([]);
});

test("things that no inventory lists are never removed", async () => {
  const steps = await stepsWith(({ releases, images }) => ({
    releases: [...releases, { name: "f".repeat(64), files: [], oddities: [] }],
    images: [...images, { reference: "al-acme/base:0", specHash: "0" }],
  }));
  expect(steps).toEqual([]);
});

test("a listed image stays as long as a container that is no runtime uses it", async () => {
  const old = "al-acme/agent-dev:0";
  const listed = ({ inventory }: ObservedHost) => ({
    inventory: { ...inventory, items: [...inventory.items, { kind: "image", id: old } as const] },
  });
  expect(await stepsWith(listed)).toEqual(["remove"]);
  const run = { name: "run", role: "run", specHash: "", image: old, state: "running" };
  const steps = await stepsWith((observed) => ({
    ...listed(observed),
    containers: [...observed.containers, run],
  }));
  expect(steps).toEqual([]);
});

test("containers are removed before images, and images before directories", async () => {
  const items = (["credentials", "release", "image", "container"] as const).map((kind) => {
    return { kind, id: "0".repeat(64) };
  });
  const { observed, versions } = await deployed();
  const inventory = { ...observed.inventory, items: [...items, ...observed.inventory.items] };
  const plan = planHost(spec, { ...observed, inventory }, versions);
  const removed = plan.actions.map(({ step }) => step.kind === "remove" && step.item.kind);
  expect(removed).toEqual(["container", "image", "release", "credentials"]);
});

test("the network that is there is kept, and its subnet with it", async () => {
  const { observed, versions } = await deployed();
  const subnets = [...observed.subnets, "10.213.0.0/16"];
  const target = resolveTarget(spec, { ...observed, subnets }, versions);
  expect(target.network).toEqual(observed.network);
});

test("a confirmation needs Docker's word as well as the runtime's", async () => {
  const { observed, versions } = await deployed();
  const target = resolveTarget(spec, observed, versions);
  const report = observed.runtime;
  if (!report) throw new Error("the runtime answers");
  expect(isConfirmed(target, observed)).toBe(true);
  const doubts: [Partial<ObservedHost>, RegExp][] = [
    [{ current: undefined }, /nothing is live/],
    [{ containers: [] }, /was removed/],
    [{ runtime: undefined }, /does not answer/],
    [{ runtime: { ...report, ready: false, reason: "no probe" } }, /not ready: no probe/],
    [{ runtime: { ...report, release: "0".repeat(64) } }, /still uses release 0{12}$/],
    [{ runtime: { ...report, credentials: "0".repeat(64) } }, /still uses other credentials/],
  ];
  for (const [doubt, reason] of doubts) {
    expect(isConfirmed(target, { ...observed, ...doubt })).toBe(false);
    expect(explainUnconfirmed(target, { ...observed, ...doubt })).toMatch(reason);
  }
});

test("a plan carries hashes and names, never contents", async () => {
  const world = createWorld();
  world.values.set(TOKEN, new Secret("a-token-to-hide"));
  const result = await world.pass(spec, { mode: "plan" });
  const text = JSON.stringify(result);
  expect(result).toMatchObject({ kind: "planned" });
  expect(text).not.toContain("a-token-to-hide");
  expect(text).not.toContain("Fix issues.");
});
