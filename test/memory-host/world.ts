import type { Secret } from "../../src/base/secret.ts";
import type { HostSpec } from "../../src/core/desired.ts";
import type { HostResult, PassEvent } from "../../src/core/pass.ts";
import { type PassDeps, type PassInput, runPass } from "../../src/reconcile/pass.ts";
import { createFaults, type Faults } from "./faults.ts";
import { createMachine, type Machine } from "./machine.ts";
import { memoryHosts } from "./memory-hosts.ts";
import { hastyClock, type MemoryApprovals, memoryApprovals, memoryCredentials } from "./ports.ts";
import { addressOf, recipesOf } from "./specs.ts";

/** Machines, the operator's word and the operator's credentials: all that passes need. */
export interface World {
  readonly machine: Machine;
  readonly machines: readonly Machine[];
  readonly approvals: MemoryApprovals;
  /** By `type/instance/field`; to rotate one is to set it. */
  readonly values: Map<string, Secret>;
  readonly faults: Faults;
  readonly deps: PassDeps;
  /** One pass over the spec's host. */
  pass(spec: HostSpec, options?: PassWords): Promise<HostResult>;
}

/** What a pass may be told besides its spec. */
export interface PassWords {
  readonly mode?: PassInput["mode"];
  readonly drift?: PassInput["drift"];
  readonly onEvent?: (event: PassEvent) => void;
  readonly signal?: AbortSignal;
  /** Another controller's; the world's own when absent. */
  readonly deps?: PassDeps;
}

/** How revisions reach hosts in memory, on a clock that hastens. */
export const ROLLOUT = { parallelHosts: 1, confirmTimeoutMs: 90_000 } as const;

/** The repository that everything comes from. */
export const REMOTE = "ssh://git@example.com/acme.git";

/** Machines whose keys are approved, with every grant given. */
export function createWorld(hosts: readonly string[] = ["web-1"]): World {
  const machines = hosts.map(createMachine);
  const approvals = memoryApprovals();
  const values = new Map<string, Secret>();
  const faults = createFaults();
  const read = (path: string) => values.get(path);
  for (const { host, hostKey } of machines) {
    const endpoint = "192.0.2.1:22";
    approvals.approve({ kind: "host-key", host, fingerprint: hostKey, endpoint });
  }
  approvals.grantAll();
  const deps: PassDeps = {
    hosts: memoryHosts({ machines, read, faults }),
    approvals,
    credentials: memoryCredentials(values),
    clock: hastyClock(),
    holder: "test",
  };
  return {
    machine: machines[0] as Machine,
    machines,
    approvals,
    values,
    faults,
    deps,
    pass(spec, { mode = "apply", deps: other = deps, drift, ...options } = {}) {
      const input = { address: addressOf(spec.host), spec, recipes: recipesOf(spec) };
      const of = { ...input, ...ROLLOUT, remote: REMOTE, mode, drift };
      return runPass(of, other, { certain: true, ...options });
    },
  };
}
