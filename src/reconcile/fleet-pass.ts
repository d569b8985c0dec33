import { settleBounded } from "../base/concurrency.ts";
import { toAlError } from "../base/errors.ts";
import type { FleetSpec } from "../core/desired.ts";
import type { HostResult } from "../core/pass.ts";
import { type PassDeps, type PassInput, type PassOptions, runPass } from "./pass.ts";

/** One revision for the whole fleet. */
export interface FleetPassInput {
  readonly fleet: FleetSpec;
  readonly remote: string;
  readonly mode: PassInput["mode"];
}

/** How a pass over a fleet is watched and ended. */
export interface FleetPassOptions extends PassOptions {
  /** A host's turn begins. */
  readonly onBegin?: (host: string) => void;
  /** A host's turn is over. */
  readonly onResult?: (result: HostResult) => void;
}

/** One pass over every host; a host that fails or is unreachable never stops another. */
export async function runFleetPass(
  input: FleetPassInput,
  deps: PassDeps,
  options: FleetPassOptions = {},
): Promise<readonly HostResult[]> {
  const { fleet, remote, mode } = input;
  const { recipes } = fleet;
  const { parallelHosts, confirmTimeoutMs } = fleet.rollout;
  const settled = await settleBounded(fleet.hosts, parallelHosts, async ({ address, spec }) => {
    options.onBegin?.(spec.host);
    const of = { address, spec, recipes, remote, mode, confirmTimeoutMs };
    const result = await runPass(of, deps, options);
    options.onResult?.(result);
    return result;
  });
  return settled.map((result, index) => {
    if (result.status === "fulfilled") return result.value;
    const host = fleet.hosts[index]?.spec.host ?? "";
    return { kind: "failed", host, error: toAlError(result.reason), aftermath: "unrestored" };
  });
}
