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
  /** Replaces what fleet.toml says, for all hosts. */
  readonly drift?: DriftPolicy | undefined;
}

/**
 * One pass over every host; a host that fails or is unreachable never stops another. Hosts that lose an
 * agent are only looked at first, and changed after the others: an agent that moves is confirmed where it
 * goes before it leaves where it was. Hosts that left the fleet are cleaned last.
 */
export async function runFleetPass(
  input: FleetPassInput,
  deps: PassDeps,
  options: PassOptions = {},
): Promise<readonly HostResult[]> {
  const { fleet, remote, mode, except = new Set() } = input;
  const { confirmTimeoutMs, parallelHosts } = fleet.rollout;
  const hosts = fleet.hosts.filter(({ spec }) => !except.has(spec.host));
  const agents = rememberedAgents(input, deps);
  const passOver = (host: FleetSpec["hosts"][number], gate?: PassInput["gate"]) => {
    const { address, spec } = host;
    const drift = input.drift ?? host.drift;
    const of = { address, spec, recipes: fleet.recipes, remote, mode, confirmTimeoutMs };
    return runPass({ ...of, drift, gate }, deps, options);
  };
  const settled = await settleBounded(hosts, parallelHosts, (host) =>
    passOver(host, (observed) => {
      const wanted = agentsOf(host.spec);
      const seen = { host: host.spec.host, live: liveAgents(observed), wanted };
      agents.set(seen.host, seen);
      return lostAgents(seen).length > 0 ? "hold" : "go";
    }),
  );
  const first = settled.map((result, index): HostResult => {
    if (result.status === "fulfilled") return result.value;
    const host = hosts[index]?.spec.host ?? "";
    return { kind: "failed", host, error: toAlError(result.reason), aftermath: "unrestored" };
  });
  const removed = await lookAtRemovedHosts(input, deps, { agents, options });
  const again = (host: string) => passOver(hosts.find(({ spec }) => spec.host === host) as Host);
  return settleLosses({ input, deps, options, first, removed, agents, again });
}

type Host = FleetSpec["hosts"][number];

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
