import { AlError } from "../base/errors.ts";
import { LABELS } from "../core/names.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { networkRulesScript } from "./network-rules.ts";
import { runOneShot } from "./one-shot.ts";
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
  { docker, place, baseImage }: IsolationTools,
  signal: AbortSignal,
): Promise<"ok" | "changed"> {
  const script = networkRulesScript(place.project, place.network);
  const { code, output } = await runOneShot(
    docker,
    {
      name: `al-${place.project}-rules`,
      image: baseImage,
      labels: {
        [LABELS.project]: place.project,
        [LABELS.host]: place.host,
        [LABELS.role]: "rules",
      },
      user: "0:0",
      entrypoint: ["chroot", "/host", "/bin/sh", "-c", script],
      argv: [],
      network: "host",
      capDrop: ["ALL"],
      capAdd: ["NET_ADMIN", "NET_RAW", "SYS_CHROOT"],
      noNewPrivileges: true,
      readOnlyRoot: true,
      mounts: [{ kind: "bind", source: "/", target: "/host", readOnly: false }],
    },
    signal,
  );
  const verdict = output.trim().split("\n").at(-1);
  if (code === 0 && (verdict === "ok" || verdict === "changed")) return verdict;
  throw new AlError(`network rules are not in place: ${output.trim() || `exit code ${code}`}`, {
    code: "rules-failed",
    blame: "transient",
    hint: "The host needs iptables, which Docker's packages bring.",
  });
}
