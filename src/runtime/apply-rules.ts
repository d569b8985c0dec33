import { AlError } from "../base/errors.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { runRootScript } from "../host/root-script.ts";
import { lookAtRulesScript, networkRulesScript } from "./network-rules.ts";
import type { Place } from "./run-container.ts";

/** What rules and probes are done with. */
export interface IsolationTools {
  readonly docker: DockerClient;
  readonly place: Place;
  /** Reference of the image that one-shot containers are made from. */
  readonly baseImage: string;
}

/**
 * Puts the network's rules in place on the host, with the host's own iptables. Idempotent.
 * @returns whether something was missing.
 * @throws AlError `rules-failed` (transient) with what iptables said.
 */
export async function applyRules(
  tools: IsolationTools,
  signal: AbortSignal,
): Promise<"ok" | "changed"> {
  const { project, network } = tools.place;
  const script = networkRulesScript(project, network);
  return onHost(tools, { script, suffix: "rules", verdicts: ["ok", "changed"] }, signal);
}

/** Looks whether the network's rules are in place on the host, and changes nothing. */
export async function lookAtRules(
  tools: IsolationTools,
  signal: AbortSignal,
): Promise<"ok" | "missing"> {
  const { project, network } = tools.place;
  const script = lookAtRulesScript(project, network);
  return onHost(tools, { script, suffix: "rules-look", verdicts: ["ok", "missing"] }, signal);
}

interface HostScript<T extends string> {
  readonly script: string;
  /** Ends the container's name. */
  readonly suffix: string;
  /** What its last line may be. */
  readonly verdicts: readonly T[];
}

async function onHost<T extends string>(
  { docker, place, baseImage: image }: IsolationTools,
  { verdicts, ...of }: HostScript<T>,
  signal: AbortSignal,
): Promise<T> {
  const { project, host } = place;
  const { code, output } = await runRootScript(docker, { project, host, image, ...of }, signal);
  const last = output.trim().split("\n").at(-1);
  const verdict = verdicts.find((one) => one === last);
  if (code === 0 && verdict !== undefined) return verdict;
  throw new AlError(`network rules are not in place: ${output.trim() || `exit code ${code}`}`, {
    code: "rules-failed",
    blame: "transient",
    hint: "The host needs iptables, which Docker's packages bring.",
  });
}
