import { CONTAINER_API_PORT, LABELS } from "../core/names.ts";
import type { NetworkSpec } from "../core/observed.ts";
import type { ReleasedAgent } from "../core/released.ts";
import type { Run } from "../core/run.ts";
import type { ContainerSpec } from "../docker/container-spec.ts";
import { runObjectNames } from "./run-names.ts";

/** Whose containers these are. */
export interface Place {
  readonly project: string;
  readonly host: string;
  readonly network: NetworkSpec;
}

/** A run that has its start's facts. */
export type StartedRun = Run & Required<Pick<Run, "start">>;

const GIB = 1024 ** 3;
const PIDS = 512;

/** What every container that runs an agent's code is confined by. */
export const CONFINED = {
  user: "1000:1000",
  readOnlyRoot: true,
  capDrop: ["ALL"],
  noNewPrivileges: true,
  pidsLimit: PIDS,
} as const satisfies Partial<ContainerSpec>;

/** The address of the container API, as runs know it. */
export function gatewayUrl(network: NetworkSpec): string {
  return `http://${network.gateway}:${CONTAINER_API_PORT}`;
}

/** Labels of everything that belongs to a run. */
export function runLabels(place: Place, run: StartedRun, role: string): Record<string, string> {
  return {
    [LABELS.project]: place.project,
    [LABELS.host]: place.host,
    [LABELS.role]: role,
    [LABELS.agent]: run.agent,
    [LABELS.run]: run.id,
    [LABELS.revision]: run.start.revision,
    [LABELS.specHash]: run.start.release,
  };
}

/** The container an agent runs in. Its configuration holds no secret. */
export function runContainer(place: Place, run: StartedRun, agent: ReleasedAgent): ContainerSpec {
  const { container, image, timeoutSeconds } = run.start;
  const volumes = runObjectNames(container);
  return {
    ...CONFINED,
    name: container,
    image,
    labels: runLabels(place, run, "run"),
    env: {
      GATEWAY_URL: gatewayUrl(place.network),
      TIMEOUT_SECONDS: String(timeoutSeconds),
    },
    network: place.network.name,
    mounts: [
      { kind: "tmpfs", target: "/tmp", sizeBytes: 2 * GIB, mode: "1777", executable: true },
      { kind: "volume", name: volumes.credentials, target: "/credentials", readOnly: true },
      { kind: "volume", name: volumes.input, target: "/run/al", readOnly: true },
    ],
    memoryBytes: agent.memoryBytes,
    cpus: agent.cpus,
  };
}

/** A container that is never started: files can be put into the run's volumes through it. */
export function carrierContainer(place: Place, run: StartedRun): ContainerSpec {
  const names = runObjectNames(run.start.container);
  return {
    name: names.carrier,
    image: run.start.image,
    labels: runLabels(place, run, "carrier"),
    network: "none",
    mounts: [
      { kind: "volume", name: names.credentials, target: "/credentials", readOnly: false },
      { kind: "volume", name: names.input, target: "/run/al", readOnly: false },
    ],
  };
}
