import { CONTAINER_API_PORT, LABELS } from "./names.ts";
import type { RuntimeContainer } from "./plan.ts";

/** Where the runtime finds the socket, wherever the host has it. */
const DOCKER_SOCKET = "/var/run/docker.sock";

/**
 * How a runtime container is created; `labels` carry project and host. It sees the project's directory
 * under the host's own path, and holds no secret. The container API is on the bridge's gateway address
 * only; the outside listener is on a socket in that directory, for the door.
 */
export function runtimeContainerSpec(
  container: RuntimeContainer,
  labels: Readonly<Record<string, string>>,
) {
  const { name, image, projectDir, dockerSocket, network } = container;
  return {
    name,
    image,
    labels: { ...labels, [LABELS.role]: "runtime", [LABELS.specHash]: container.specHash },
    user: `${container.uid}:${container.gid}`,
    groupAdd: [String(container.dockerGid)],
    env: { AL_PROJECT_DIR: projectDir, AL_RUNTIME_NAME: name },
    network: network.name,
    ports: [
      { hostIp: network.gateway, hostPort: CONTAINER_API_PORT, containerPort: CONTAINER_API_PORT },
    ],
    mounts: [
      { kind: "bind", source: projectDir, target: projectDir, readOnly: false },
      { kind: "bind", source: dockerSocket, target: DOCKER_SOCKET, readOnly: false },
      { kind: "tmpfs", target: "/tmp", sizeBytes: 64 * 1024 * 1024, mode: "1777" },
    ],
    readOnlyRoot: true,
    capDrop: ["ALL"],
    noNewPrivileges: true,
    pidsLimit: 256,
    restart: "unless-stopped",
    stopGraceSeconds: 10,
  } as const;
}
