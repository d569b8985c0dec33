import { expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import type { HostSpec } from "../../../src/core/desired.ts";
import { sha256, treeHash } from "../../../src/core/fingerprint.ts";
import type { PassEvent } from "../../../src/core/pass.ts";
import { runPush } from "../../../src/reconcile/push.ts";
import { memoryApprovals } from "../../memory-host/ports.ts";
import { addressOf, hostSpec } from "../../memory-host/specs.ts";
import { createWorld, REMOTE, ROLLOUT, type World } from "../../memory-host/world.ts";
import { currentOf } from "./checks.ts";

const TOKEN = "github_token/default/token";
const KEY = "anthropic_key/botty/token";
const agents = {
  dev: { actions: "Fix issues.", credentials: [TOKEN, KEY] },
  ops: { actions: "Watch.", credentials: [TOKEN] },
};
const spec = withReferences(hostSpec({ revision: "r1", agents }), {
  dev: ["github_token", "anthropic_key:botty"],
  ops: ["github_token"],
});
const next = hostSpec({ revision: "r2", agents: { dev: { actions: "Fix." } } });

/** With the agents' references in their files, where a real release has them. */
function withReferences(of: HostSpec, refs: Record<string, readonly string[]>): HostSpec {
  const files = of.release.files.map((file) => {
    const credentials = refs[/^agents\/(.*)\/agent\.json$/.exec(file.path)?.[1] ?? ""];
    if (!credentials) return file;
    const content = Buffer.from(JSON.stringify({ credentials, model: "of a later version" }));
    return { path: file.path, hash: sha256(content), content };
  });
  return { ...of, release: { hash: treeHash(files), files } };
}

async function deployed(): Promise<World> {
  const world = createWorld();
  for (const path of [TOKEN, KEY]) world.values.set(path, new Secret(`value of ${path}`));
  await world.pass(spec);
  world.faults.arm();
  return world;
}

interface Words {
  readonly mode?: "plan" | "apply";
  readonly wanted?: HostSpec;
  readonly deps?: World["deps"];
  readonly onEvent?: (event: PassEvent) => void;
}

const push = (world: World, words: Words = {}) => {
  const { mode = "apply", wanted = spec, deps = world.deps, onEvent = () => {} } = words;
  const input = { address: addressOf(), spec: wanted, mode, remote: REMOTE, ...ROLLOUT };
  return runPush(input, deps, { onEvent });
};

const said = ({ changes }: Awaited<ReturnType<typeof push>>) =>
  changes.map(({ credential, change, agents: names, held }) =>
    [credential, change, names.join(","), held ? "held" : "kept"].join(" "),
  );

const setOf = ({ machine }: World) =>
  machine.projects.get("acme")?.credentials.get(currentOf(machine)?.credentials ?? "");

test("a push with nothing new does nothing and takes no lock", async () => {
  const world = await deployed();
  const pushed = await push(world);
  expect(pushed.result).toMatchObject({ kind: "in-sync" });
  expect(said(pushed)).toEqual([
    "anthropic_key:botty unchanged dev held",
    "github_token:default unchanged dev,ops held",
  ]);
  expect(world.faults.calls).toEqual(["observe"]);
});

test("a rotated credential is delivered to what is live; a dry run only says so", async () => {
  const world = await deployed();
  const before = currentOf(world.machine);
  world.values.set(TOKEN, new Secret("rotated"));
  const dry = await push(world, { mode: "plan" });
  expect(dry.result).toMatchObject({ kind: "planned" });
  expect(said(dry)[1]).toBe("github_token:default rotated dev,ops held");
  expect(currentOf(world.machine)).toEqual(before);
  expect((await push(world)).result).toMatchObject({ kind: "applied" });
  const after = currentOf(world.machine);
  expect(after).toEqual({ ...before, credentials: after?.credentials });
  expect(`${setOf(world)?.get(TOKEN)}`).toBe("rotated");
  expect([...(world.machine.projects.get("acme")?.credentials.keys() ?? [])]).toEqual([
    after?.credentials,
  ]);
  expect(await world.pass(spec, { mode: "plan" })).toMatchObject({ kind: "in-sync" });
});

test("a push serves the release that is live, whatever the project asks for by now", async () => {
  const world = await deployed();
  world.values.set(TOKEN, new Secret("rotated"));
  const pushed = await push(world, { wanted: next });
  expect(pushed.result).toMatchObject({ kind: "applied" });
  expect(currentOf(world.machine)).toMatchObject({
    revision: spec.revision,
    release: spec.release.hash,
  });
  expect([...(setOf(world)?.keys() ?? [])].sort()).toEqual([KEY, TOKEN]);
});

test("what is live says itself what it needs; where that was altered nothing is pushed", async () => {
  const world = await deployed();
  world.values.set(TOKEN, new Secret("rotated"));
  const files = world.machine.projects.get("acme")?.releases.get(spec.release.hash);
  files?.set("agents/dev/agent.json", JSON.stringify({ credentials: ["openai_key"] }));
  const { result } = await push(world, { wanted: next });
  expect(result).toMatchObject({
    kind: "failed",
    aftermath: "untouched",
    error: { code: "release-altered", hint: expect.stringContaining("al apply --host web-1") },
  });
  expect(`${setOf(world)?.get(TOKEN)}`).not.toBe("rotated");
});

test("what the controller does not hold is kept", async () => {
  const world = await deployed();
  world.values.delete(KEY);
  world.values.set(TOKEN, new Secret("rotated"));
  const pushed = await push(world);
  expect(said(pushed)).toEqual([
    "anthropic_key:botty unchanged dev kept",
    "github_token:default rotated dev,ops held",
  ]);
  expect(`${setOf(world)?.get(KEY)}`).toBe(`value of ${KEY}`);
});

test("what lies in the live set and is needed by nobody is removed", async () => {
  const world = await deployed();
  setOf(world)?.set("own/default/x", Buffer.from("x"));
  const pushed = await push(world);
  expect(said(pushed)).toContain("own:default removed  kept");
  expect([...(setOf(world)?.keys() ?? [])].sort()).toEqual([KEY, TOKEN]);
});

test("where nothing is deployed yet a push is refused and says what to do", async () => {
  const world = createWorld();
  const { result, changes } = await push(world);
  expect(result).toMatchObject({
    kind: "failed",
    aftermath: "untouched",
    error: { code: "not-deployed", hint: "The first apply delivers them: al apply" },
  });
  expect(changes).toEqual([]);
  expect(world.machine.projects.size).toBe(0);
});

test("a host without a machine is not connected to", async () => {
  const world = createWorld();
  const address = { ...addressOf(), address: "" };
  const input = { address, spec, mode: "apply", remote: REMOTE, ...ROLLOUT } as const;
  const { result } = await runPush(input, world.deps);
  expect(result).toEqual({ kind: "not-provisioned", host: address.host });
});

test("without its grants a push waits, and touches nothing", async () => {
  const world = await deployed();
  world.values.set(TOKEN, new Secret("rotated"));
  const approvals = memoryApprovals();
  const unknown = await push(world, { deps: { ...world.deps, approvals } });
  expect(unknown.result).toMatchObject({ kind: "approval-needed", approvals: [{}] });
  const { host, hostKey: fingerprint } = world.machine;
  approvals.approve({ kind: "host-key", host, fingerprint, endpoint: "" });
  const ungranted = await push(world, { deps: { ...world.deps, approvals } });
  expect(ungranted.result).toMatchObject({ kind: "approval-needed", approvals: [{}, {}, {}] });
  expect(`${setOf(world)?.get(TOKEN)}`).not.toBe("rotated");
});

test("a push that fails at any call is finished by the next one", async () => {
  for (const kind of ["before", "after", "torn", "lost-after"] as const) {
    for (let at = 0; at < 16; at++) {
      const world = await deployed();
      world.values.delete(KEY);
      world.values.set(TOKEN, new Secret("rotated"));
      world.faults.arm([{ at, kind }]);
      await push(world);
      world.faults.arm();
      expect((await push(world)).result.kind).toMatch(/^(applied|in-sync)$/);
      expect(`${setOf(world)?.get(TOKEN)} ${setOf(world)?.get(KEY)}`).toBe(
        `rotated value of ${KEY}`,
      );
      await world.pass(spec);
      expect(world.machine.projects.get("acme")?.credentials.size).toBe(1);
    }
  }
});

test("a push whose runtime does not answer fails, keeps the new credentials and the release", async () => {
  const world = await deployed();
  const before = currentOf(world.machine);
  world.values.set(TOKEN, new Secret("rotated"));
  world.machine.readiness = () => "never";
  const { result } = await push(world);
  expect(result).toMatchObject({ kind: "failed", error: { code: "not-confirmed" } });
  expect(currentOf(world.machine)).toMatchObject({ release: before?.release });
  expect(`${setOf(world)?.get(TOKEN)}`).toBe("rotated");
});

test("an old value never returns: what was rotated before a failure is what others keep", async () => {
  const world = await deployed();
  world.values.set(TOKEN, new Secret("rotated"));
  world.machine.readiness = ({ revision }) => (revision === next.revision ? "never" : 0);
  const later = hostSpec({ revision: "r2", agents });
  expect(await world.pass(later)).toMatchObject({ kind: "failed", aftermath: "restored" });
  world.values.clear();
  world.machine.readiness = () => 0;
  expect(await world.pass(hostSpec({ revision: "r3", agents }))).toMatchObject({ kind: "applied" });
  expect(`${setOf(world)?.get(TOKEN)}`).toBe("rotated");
});
