import { LABELS } from "../core/names.ts";
import type { DockerClient } from "../docker/docker-client.ts";
import { type OneShotResult, runOneShot } from "../docker/one-shot.ts";

/** A POSIX shell script for a host's own root, and what it is run with. */
export interface RootScript {
  readonly project: string;
  readonly host: string;
  /** Any image with `chroot`; the shell and the programs are the host's. */
  readonly image: string;
  readonly script: string;
  /** Ends the container's name; one of the same name is ended first. Default `rules`. */
  readonly suffix?: string;
}

/** Runs a script as the host's root in the host's network, by a container that ends with it. */
export function runRootScript(
  docker: DockerClient,
  { project, host, image, script, suffix = "rules" }: RootScript,
  signal: AbortSignal | undefined,
): Promise<OneShotResult> {
  return runOneShot(
    docker,
    {
      name: `al-${project}-${suffix}`,
      image,
      labels: { [LABELS.project]: project, [LABELS.host]: host, [LABELS.role]: "rules" },
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
}
