import { settleBounded } from "../base/concurrency.ts";
import { AlError } from "../base/errors.ts";
import type { FleetSpec } from "../core/desired.ts";
import type { KnownHost } from "../core/known-host.ts";
import type { ObservedHost } from "../core/observed.ts";
import type { HostResult, PassEvent } from "../core/pass.ts";
import { liveAgents } from "../core/placed-agents.ts";
import type { Action } from "../core/plan.ts";
import { activeRuns, emptySpec, planRemoval } from "../core/plan-removal.ts";
import type { HostAgents } from "../core/prune.ts";
import { contactHost } from "./approvals-needed.ts";
import type { FleetPassInput } from "./fleet-pass.ts";
import { withLock } from "./look-twice.ts";
import { failure, lockWords, type PassDeps, type PassOptions } from "./pass.ts";
import type { HostSession, StepContext } from "./ports.ts";

/** A host that left the fleet, as it was found. */
export interface RemovedHost {
  /** `planned` when there is something to remove. */
  readonly result: HostResult;
  /** Runs that are under way there. */
  readonly activeRuns: readonly string[];
  /** Removes what is ours there. */
  clean(): Promise<HostResult>;
}

interface Around {
  /** What is live there is added. */
  readonly agents: Map<string, HostAgents>;
  readonly options: PassOptions;
}

/**
 * Looks at every host that holds something of ours and is no longer in the fleet. One that only has
 * another name now is the business of that name.
 */
export async function lookAtRemovedHosts(
  input: FleetPassInput,
  deps: PassDeps,
  around: Around,
): Promise<readonly RemovedHost[]> {
  const { fleet, mode } = input;
  const names = new Set(fleet.hosts.map(({ spec }) => spec.host));
  const known = deps.memory?.knownHosts() ?? [];
  const gone = known.filter(({ address }) => !names.has(address.host));
  const removed = gone.filter((one) => !isRenamed(one, input, deps));
  if (input.only) {
    for (const { address, agents } of removed) {
      around.agents.set(address.host, { host: address.host, live: agents, wanted: [] });
    }
    return [];
  }
  if (mode === "apply") {
    for (const one of gone) if (!removed.includes(one)) deps.memory?.forget(one.address.host);
  }
  const settled = await settleBounded(removed, fleet.rollout.parallelHosts, (one) =>
    lookAt(one, input, deps, around),
  );
  return settled.flatMap((end, index) => {
    const host = removed[index]?.address.host ?? "";
    if (end.status === "fulfilled") return end.value ? [end.value] : [];
    const clean = async () => failure(host, end.reason);
    return [{ result: gaveUp(host, end.reason), activeRuns: [], clean }];
  });
}

/** The same machine under another name: by its address, or by its approved key. */
function isRenamed({ address }: KnownHost, { fleet }: FleetPassInput, deps: PassDeps): boolean {
  const endpoint = `${address.address.toLowerCase()} ${address.port}`;
  const key = deps.approvals.hostKey(address.host);
  return fleet.hosts.some(
    ({ address: other }) =>
      `${other.address.toLowerCase()} ${other.port}` === endpoint ||
      (key !== undefined && deps.approvals.hostKey(other.host) === key),
  );
}

async function lookAt(
  known: KnownHost,
  { fleet, mode }: FleetPassInput,
  deps: PassDeps,
  { agents, options }: Around,
): Promise<RemovedHost | undefined> {
  const { host } = known.address;
  agents.set(host, { host, live: known.agents, wanted: [] });
  const observed = await withHost(known, deps, options, (session) =>
    session.observe(fleet.project, { signal: options.signal }),
  );
  agents.set(host, { host, live: liveAgents(observed), wanted: [] });
  const isOthers = observed.current !== undefined && observed.current.host !== host;
  const plan = planRemoval(host, fleet.revision, observed);
  if (isOthers || plan.actions.length === 0) {
    if (mode === "apply") deps.memory?.forget(host);
    return undefined;
  }
  return {
    result: { kind: "planned", host, plan },
    activeRuns: activeRuns(observed),
    clean: () => cleanHost(known, fleet, deps, options).catch((thrown) => failure(host, thrown)),
  };
}

/**
 * Removes everything of ours on a host that is about to go, in the fleet or not. Its runs are not waited for.
 * @throws AlError those of the connection, and `host-key-mismatch`.
 */
export async function cleanHost(
  known: KnownHost,
  fleet: Pick<FleetSpec, "project" | "revision">,
  deps: PassDeps,
  options: PassOptions = {},
): Promise<HostResult> {
  const { host } = known.address;
  const { project, revision } = fleet;
  return withHost(known, deps, options, (session) =>
    withLock(session, lockWords(project, deps, options), async (signal) => {
      const observed = await session.observe(project, { signal });
      const plan = planRemoval(host, revision, observed);
      const context = contextOf(observed, { project, host, revision }, deps, signal);
      for (const action of plan.actions) {
        await carryOut(session, { host, action, context }, deps, options);
      }
      const { inventory } = await session.observe(project, { signal });
      const left = inventory.items;
      if (left.length === 0) deps.memory?.forget(host);
      else deps.memory?.remember({ ...known, inventory, agents: [] });
      return { kind: "cleaned", host, plan, left };
    }),
  );
}

async function carryOut(
  session: HostSession,
  { host, action, context }: { host: string; action: Action; context: StepContext },
  { clock }: PassDeps,
  { onEvent = () => {} }: PassOptions,
): Promise<void> {
  const startedAt = clock.now();
  context.signal?.throwIfAborted();
  onEvent({ kind: "action-started", host, action });
  const result = await session.carryOut(action.step, context);
  const kept = result.kind === "kept" ? { kept: result.reason } : {};
  const finished: PassEvent = { kind: "action-finished", host, action, ms: 0, ...kept };
  onEvent({ ...finished, ms: clock.now() - startedAt });
}

function contextOf(
  observed: ObservedHost,
  of: { readonly project: string; readonly host: string; readonly revision: string },
  { approvals }: PassDeps,
  signal: AbortSignal,
): StepContext {
  const spec = emptySpec({ ...of, architecture: observed.facts.architecture });
  return { spec, recipes: [], observed, proposedKey: approvals.proposedKey(of.host), signal };
}

async function withHost<T>(
  { address }: KnownHost,
  deps: PassDeps,
  options: PassOptions,
  work: (session: HostSession) => Promise<T>,
): Promise<T> {
  options.onEvent?.({ kind: "observing", host: address.host });
  const contact = await contactHost(deps.hosts, deps.approvals, address, options.signal);
  if (contact.kind === "approval-needed") throw keyChanged(address.host);
  try {
    return await work(contact.session);
  } finally {
    await contact.session.close();
  }
}

/** A host that cannot be cleaned says how to stop asking for it. */
function gaveUp(host: string, thrown: unknown): HostResult {
  const result = failure(host, thrown);
  if (result.kind !== "unreachable") return result;
  const { code, blame, message } = result.error;
  const hint = `It left fleet.toml and still holds what we put there. To give it up: al host forget ${host}`;
  const error = new AlError(message, { code, blame, hint, cause: thrown });
  return { kind: "unreachable", host, error };
}

function keyChanged(host: string): AlError {
  return new AlError(`host ${host} left fleet.toml, and its key is not the approved one`, {
    code: "host-key-mismatch",
    blame: "user",
    hint: `Nothing was done there. To give it up: al host forget ${host}`,
  });
}
