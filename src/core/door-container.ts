import { DOOR_DIRECTORY, DOOR_MOUNT, LABELS, OUTSIDE_PORT } from "./names.ts";
import type { DoorContainer } from "./plan.ts";

/**
 * How a door's container is created; `labels` carry project and host. It sees the directory with the
 * runtime's socket and nothing else of the host; strangers' bytes pass through it, so it may do nothing.
 */
export function doorContainerSpec(
  container: DoorContainer,
  labels: Readonly<Record<string, string>>,
) {
  const { name, image, projectDir, network, outsidePort } = container;
  const directory = `${projectDir}/${DOOR_DIRECTORY}`;
  return {
    name,
    image,
    labels: { ...labels, [LABELS.role]: "door", [LABELS.specHash]: container.specHash },
    user: `${container.uid}:${container.gid}`,
    groupAdd: [],
    network,
    ports: [{ hostIp: "127.0.0.1", hostPort: outsidePort, containerPort: OUTSIDE_PORT }],
    mounts: [{ kind: "bind", source: directory, target: DOOR_MOUNT, readOnly: true }],
    readOnlyRoot: true,
    capDrop: ["ALL"],
    noNewPrivileges: true,
    pidsLimit: 64,
    memoryBytes: 256 * 1024 * 1024,
    restart: "unless-stopped",
    stopGraceSeconds: 5,
  } as const;
}
