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

/** One pass over every host; a host that fails or is unreachable never stops another. */
export async function runFleetPass(
  input: FleetPassInput,
  deps: PassDeps,
  options: PassOptions = {},
): Promise<readonly HostResult[]> {
  const { fleet, remote, mode } = input;
  const { recipes } = fleet;
  const { parallelHosts, confirmTimeoutMs } = fleet.rollout;
  const settled = await settleBounded(fleet.hosts, parallelHosts, ({ address, spec }) =>
    runPass({ address, spec, recipes, remote, mode, confirmTimeoutMs }, deps, options),
  );
  return settled.map((result, index) => {
    if (result.status === "fulfilled") return result.value;
    const host = fleet.hosts[index]?.spec.host ?? "";
    return { kind: "failed", host, error: toAlError(result.reason), aftermath: "unrestored" };
  });
}
