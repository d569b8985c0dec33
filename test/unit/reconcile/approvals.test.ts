import { expect, test } from "vitest";
import { Secret } from "../../../src/base/secret.ts";
import type { Approval } from "../../../src/core/approval.ts";
import type { HostResult } from "../../../src/core/pass.ts";
import { type PassDeps, runPass } from "../../../src/reconcile/pass.ts";
import { memoryApprovals } from "../../memory-host/ports.ts";
import { addressOf, hostSpec, recipesOf } from "../../memory-host/specs.ts";
import { createWorld, REMOTE, ROLLOUT } from "../../memory-host/world.ts";

const TOKEN = "github_token/default/token";
const spec = hostSpec({
  revision: "r1",
  agents: {
    dev: { actions: "Fix issues.", credentials: [TOKEN] },
    ops: { actions: "Watch.", credentials: [TOKEN] },
  },
});

function newWorld() {
  const world = createWorld();
  world.values.set(TOKEN, new Secret("a"));
  const approvals = memoryApprovals();
  return { ...world, approvals, deps: { ...world.deps, approvals } };
}

const waiting = (result: HostResult): readonly Approval[] =>
  result.kind === "approval-needed" ? result.approvals : [];

const pass = (deps: PassDeps, remote = REMOTE, provider: "ssh" | "local" = "ssh") =>
  runPass(
    {
      address: { ...addressOf(), provider },
      spec,
      recipes: recipesOf(spec),
      remote,
      mode: "apply",
      ...ROLLOUT,
    },
    deps,
  );

test("an unknown host key waits for approval, and nothing is sent to the host", async () => {
  const { deps, approvals, machine, faults } = newWorld();
  approvals.grantAll();
  const [asked] = waiting(await pass(deps));
  expect(asked).toEqual({
    kind: "host-key",
    host: "web-1",
    fingerprint: machine.hostKey,
    endpoint: "192.0.2.1:22",
    replaces: undefined,
  });
  expect(faults.calls).toEqual([]);
});

test("a changed host key waits for approval and says which key it replaces", async () => {
  const { deps, approvals, machine, faults } = newWorld();
  approvals.grantAll();
  for (const approval of waiting(await pass(deps))) approvals.approve(approval);
  expect(await pass(deps)).toMatchObject({ kind: "applied" });
  const before = machine.hostKey;
  machine.hostKey = "SHA256:another";
  faults.arm();
  const asked = waiting(await pass(deps));
  expect(asked).toMatchObject([{ fingerprint: "SHA256:another", replaces: before }]);
  expect(faults.calls).toEqual([]);
  for (const approval of asked) approvals.approve(approval);
  expect(await pass(deps)).toMatchObject({ kind: "in-sync" });
});

test("a local host has no key to approve", async () => {
  const { deps, approvals } = newWorld();
  approvals.grantAll();
  expect(await pass(deps, REMOTE, "local")).toMatchObject({ kind: "applied" });
});

test("key and grants are asked for together, each pairing once", async () => {
  const { deps } = newWorld();
  expect(waiting(await pass(deps)).map(({ kind }) => kind)).toEqual(["host-key", "grant", "grant"]);
});

test("nothing is done to a host as long as one grant is missing, and the connection is closed", async () => {
  const { deps, approvals, machine, faults } = newWorld();
  const [key, first, second] = waiting(await pass(deps));
  if (!key || !first || !second) throw new Error("three approvals were expected");
  approvals.approve(key);
  approvals.approve(first);
  expect(waiting(await pass(deps))).toEqual([second]);
  expect(faults.calls).toEqual([]);
  expect(machine.connections).toBe(0);
  approvals.approve(second);
  expect(await pass(deps)).toMatchObject({ kind: "applied" });
});

test("a grant is bound to the repository it was given for", async () => {
  const { deps, approvals } = newWorld();
  for (const approval of waiting(await pass(deps))) approvals.approve(approval);
  expect(await pass(deps)).toMatchObject({ kind: "applied" });
  const asked = waiting(await pass(deps, "ssh://git@elsewhere.example/acme.git"));
  expect(asked).toHaveLength(2);
  expect(asked).toMatchObject([
    { kind: "grant", agent: "dev", remote: "ssh://git@elsewhere.example/acme.git" },
    { kind: "grant", agent: "ops" },
  ]);
});

test("a host that is unreachable is that, whatever waits for approval", async () => {
  const { deps, machine } = newWorld();
  machine.unreachable = true;
  expect(await pass(deps)).toMatchObject({ kind: "unreachable", host: "web-1" });
});
