import type { HostSpec } from "../../../src/core/desired.ts";
import type { HostResult } from "../../../src/core/pass.ts";
import {
  type FleetPassInput,
  type FleetPassOptions,
  runFleetPass,
} from "../../../src/reconcile/fleet-pass.ts";
import { memoryOfFleet } from "../../memory-host/ports.ts";
import { addressOf, hostSpec, recipesOf } from "../../memory-host/specs.ts";
import { createWorld, REMOTE, ROLLOUT } from "../../memory-host/world.ts";
import { currentOf } from "./checks.ts";

/** A fleet in memory; `place` says which agents go where, by revision. */
export function fleetWorld(hosts: readonly string[]) {
  const world = createWorld(hosts);
  const memory = memoryOfFleet();
  const deps = { ...world.deps, memory };
  const log: string[] = [];
  const pass = async (
    revision: string,
    place: Readonly<Record<string, string>>,
    options: Pick<FleetPassOptions, "onResult"> &
      Partial<Pick<FleetPassInput, "mode" | "except" | "only">> & {
        /** Hosts without a machine. */
        readonly unmade?: readonly string[];
      } = {},
  ): Promise<Record<string, HostResult>> => {
    const specs = Object.entries(place).map(([host, agents]) => specOf(revision, host, agents));
    const { unmade = [], ...passOptions } = options;
    const placed = specs.map((spec, index) => {
      const made = `192.0.2.${hosts.indexOf(spec.host) + index}`;
      const address = unmade.includes(spec.host) ? "" : made;
      return { spec, address: { ...addressOf(spec.host), address } };
    });
    const fleet = {
      ...{ project: "acme", revision: specOf(revision, "x", "").revision, hosts: placed },
      placements: [],
      ...{ rollout: { ...ROLLOUT, parallelHosts: 3 }, recipes: specs.flatMap(recipesOf) },
    };
    log.length = 0;
    const results = await runFleetPass(
      { fleet, remote: REMOTE, mode: "apply", ...passOptions },
      deps,
      {
        ...passOptions,
        onEvent: (event) => {
          if (event.kind === "action-finished" && event.action.step.kind === "switch") {
            log.push(event.host);
          }
        },
      },
    );
    return Object.fromEntries(results.map((result) => [result.host, result]));
  };
  const machine = (host: string) => {
    const found = world.machines.find((one) => one.host === host);
    if (!found) throw new Error(`no machine ${host}`);
    return found;
  };
  const revisionOf = (host: string) => currentOf(machine(host))?.revision;
  return { world, memory, pass, machine, revisionOf, switches: log };
}

/** What a revision asks of a host on which these agents are placed. */
export function specOf(revision: string, host: string, agents: string): HostSpec {
  const names = agents.split(" ").filter(Boolean);
  const words = names.map((name) => [name, { actions: name }] as const);
  // One of them receives webhooks.
  const door = host === "b" && { port: 8080 };
  return hostSpec({ host, revision, ...door, agents: Object.fromEntries(words) });
}

/** What each host came to. */
export const kinds = (results: Record<string, HostResult>) =>
  Object.fromEntries(Object.entries(results).map(([host, { kind }]) => [host, kind]));
