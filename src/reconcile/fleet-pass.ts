import { settleBounded } from "../base/concurrency.ts";
import { toAlError } from "../base/errors.ts";
import type { FleetSpec } from "../core/desired.ts";
import type { DriftPolicy } from "../core/drift.ts";
import type { HostResult } from "../core/pass.ts";
import { agentsOf, liveAgents } from "../core/placed-agents.ts";
import { type HostAgents, lostAgents } from "../core/prune.ts";
import { settleLosses } from "./losses.ts";
import { type PassDeps, type PassInput, type PassOptions, runPass } from "./pass.ts";
import { lookAtRemovedHosts } from "./removed-hosts.ts";

/** One revision for the whole fleet. */
export interface FleetPassInput {
  readonly fleet: FleetSpec;
  readonly remote: string;
  readonly mode: PassInput["mode"];
  /** Hosts that are left alone this time; agents that move to them wait where they are. */
  readonly except?: ReadonlySet<string>;
  /** The hosts this is about; all others, and those that left the fleet, are left alone as well. */
  readonly only?: ReadonlySet<string> | undefined;
  /** Replaces what fleet.toml says, for all hosts. */
  readonly drift?: DriftPolicy | undefined;
}

/** How a pass over a fleet is watched and ended. */
export interface FleetPassOptions extends PassOptions {
  /** A host's turn begins; a host that waits for others has two. */
  readonly onBegin?: (host: string) => void;
  /** Called once for every host: when its turn is over, or when the whole fleet is known. */
  readonly onResult?: (result: HostResult) => void;
}

/**
 * One pass over every host; a host that fails or is unreachable never stops another. Hosts that lose an
 * agent are only looked at first, and changed after the others: an agent that moves is confirmed where it
 * goes before it leaves where it was. Hosts that left the fleet are cleaned last.
 */
export async function runFleetPass(
  input: FleetPassInput,
  deps: PassDeps,
  options: FleetPassOptions = {},
): Promise<readonly HostResult[]> {
  const { fleet, remote, mode } = input;
  const { confirmTimeoutMs, parallelHosts } = fleet.rollout;
  const hosts = fleet.hosts.filter(({ spec }) => isMeant(input, spec.host));
  const agents = rememberedAgents(input, deps);
  const losing = new Set<string>();
  const turns = reportTurns(input, options, losing);
  const passOver = (host: Host, gate?: PassInput["gate"]) => {
    const { address, spec } = host;
    const drift = input.drift ?? host.drift;
    const of = { address, spec, recipes: fleet.recipes, remote, mode, confirmTimeoutMs };
    return turns.turn(spec.host, () => runPass({ ...of, drift, gate }, deps, options));
  };
  const settled = await settleBounded(hosts, parallelHosts, (host) =>
    passOver(host, (observed) => {
      const wanted = agentsOf(host.spec);
      const seen = { host: host.spec.host, live: liveAgents(observed), wanted };
      agents.set(seen.host, seen);
      if (lostAgents(seen).length === 0) return "go";
      losing.add(seen.host);
      return "hold";
    }),
  );
  const first = settled.map((result, index): HostResult => {
    if (result.status === "fulfilled") return result.value;
    const host = hosts[index]?.spec.host ?? "";
    return { kind: "failed", host, error: toAlError(result.reason), aftermath: "unrestored" };
  });
  const removed = await lookAtRemovedHosts(input, deps, { agents, options });
  const again = (host: string) => passOver(hosts.find(({ spec }) => spec.host === host) as Host);
  const results = await settleLosses({ input, deps, options, first, removed, agents, again });
  results.forEach(turns.report);
  return results;
}

type Host = FleetSpec["hosts"][number];

function isMeant({ except, only }: FleetPassInput, host: string): boolean {
  return !except?.has(host) && (only === undefined || only.has(host));
}

/** Tells whoever watches when hosts begin and end, and nothing twice. */
function reportTurns(
  { mode }: FleetPassInput,
  { onBegin, onResult }: FleetPassOptions,
  losing: ReadonlySet<string>,
) {
  const told = new Map<string, HostResult>();
  const report = (result: HostResult) => {
    if (told.get(result.host) === result) return;
    told.set(result.host, result);
    onResult?.(result);
  };
  const turn = async (host: string, pass: () => Promise<HostResult>) => {
    onBegin?.(host);
    const result = await pass();
    // A host that was only looked at yet has another turn, or is found to need consent.
    const isFinal = mode === "plan" && !losing.has(host);
    if (result.kind !== "planned" || isFinal) report(result);
    return result;
  };
  return { report, turn };
}

/** What was live on every host of the fleet when it was last seen; looks at hosts replace it. */
function rememberedAgents({ fleet }: FleetPassInput, { memory }: PassDeps) {
  const known = new Map(memory?.knownHosts().map((one) => [one.address.host, one.agents]));
  return new Map<string, HostAgents>(
    fleet.hosts.map(({ spec }) => {
      const { host } = spec;
      return [host, { host, live: known.get(host) ?? [], wanted: agentsOf(spec) }];
    }),
  );
}
