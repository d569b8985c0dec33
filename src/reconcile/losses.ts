import { settleBounded } from "../base/concurrency.ts";
import type { HostResult } from "../core/pass.ts";
import { type HostAgents, massPrune, type Standing, waitingMoves } from "../core/prune.ts";
import type { FleetPassInput } from "./fleet-pass.ts";
import { failure, type PassDeps, type PassOptions } from "./pass.ts";
import type { RemovedHost } from "./removed-hosts.ts";

/** What the first half of a fleet's pass left to do. */
export interface LossesInput {
  readonly input: FleetPassInput;
  readonly deps: PassDeps;
  readonly options: PassOptions;
  /** Results of the hosts that are in the fleet; those that lose agents are `planned`. */
  readonly first: readonly HostResult[];
  readonly removed: readonly RemovedHost[];
  readonly agents: ReadonlyMap<string, HostAgents>;
  /** A pass over one of the hosts that were only looked at. */
  again(host: string): Promise<HostResult>;
}

type Planned = Extract<HostResult, { kind: "planned" }>;

/**
 * The second half: hosts that lose agents, once their agents are confirmed elsewhere, and hosts that left
 * the fleet. What a revision removes in mass waits for the operator's word.
 */
export async function settleLosses(of: LossesInput): Promise<readonly HostResult[]> {
  const results = new Map(of.first.map((result) => [result.host, result]));
  for (const { result } of of.removed) results.set(result.host, result);
  const consent = askForConsent(of, results);
  for (const result of consent) results.set(result.host, result);
  if (of.input.mode === "apply") await applyInOrder(of, results);
  return [...results.values()];
}

/** Results of hosts whose losses need the operator's word for this revision, and do not have it. */
function askForConsent(
  { input, deps, removed, agents }: LossesInput,
  results: ReadonlyMap<string, HostResult>,
): HostResult[] {
  const { revision } = input.fleet;
  if (!deps.memory || deps.memory.hasPruneConsent(revision)) return [];
  const mass = massPrune([...agents.values()])?.losses ?? [];
  return [...results.values()].filter(isPlanned).flatMap((result): HostResult[] => {
    const { host, plan } = result;
    const own = mass.filter((loss) => loss.endsWith(` on ${host}`));
    const runs = removed.find((one) => one.result.host === host)?.activeRuns ?? [];
    const losses = [...own, ...runs.map((run) => `run ${run} on ${host} loses its runtime`)];
    return losses.length === 0 ? [] : [{ kind: "consent-needed", host, revision, losses, plan }];
  });
}

/** Changes hosts in rounds: each round those whose moving agents are confirmed where they go. */
async function applyInOrder(of: LossesInput, results: Map<string, HostResult>): Promise<void> {
  const { input, removed, agents, options } = of;
  const cleaners = new Map(removed.map((one) => [one.result.host, one.clean]));
  const fleet = [...agents.values()];
  const waits = (host: string) => waitingMoves(fleet, standingsOf(results), host);
  for (;;) {
    options.signal?.throwIfAborted();
    const open = [...results.values()].filter(isPlanned);
    const free = open.filter(({ host }) => waits(host).length === 0);
    if (free.length === 0) break;
    const { parallelHosts } = input.fleet.rollout;
    const done = await settleBounded(free, parallelHosts, ({ host }) => {
      const clean = cleaners.get(host);
      return clean ? clean() : of.again(host);
    });
    free.forEach(({ host }, index) => {
      const end = done[index] as PromiseSettledResult<HostResult>;
      results.set(host, end.status === "fulfilled" ? end.value : failure(host, end.reason));
    });
  }
  for (const { host, plan } of [...results.values()].filter(isPlanned)) {
    results.set(host, { kind: "waiting", host, moves: waits(host), plan });
  }
}

function standingsOf(results: ReadonlyMap<string, HostResult>): ReadonlyMap<string, Standing> {
  return new Map([...results].map(([host, result]) => [host, standingOf(result)]));
}

function standingOf(result: HostResult): Standing {
  if (result.kind === "applied") return "ready";
  if (result.kind === "in-sync") return result.observed.runtime?.ready ? "ready" : "behind";
  return result.kind === "planned" ? "losing" : "behind";
}

function isPlanned(result: HostResult): result is Planned {
  return result.kind === "planned";
}
