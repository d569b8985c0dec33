import { canonicalJson } from "../base/canonical-json.ts";
import { caddyConfig } from "./ingress-config.ts";
import {
  CERTIFICATES_DIRECTORY,
  CERTIFICATES_MOUNT,
  GIVEN_CERTIFICATE,
  INGRESS_DIRECTORY,
  INGRESS_MOUNT,
  INGRESS_PORTS,
  LABELS,
} from "./names.ts";
import type { IngressContainer } from "./plan.ts";

/**
 * How an ingress's container is created; `labels` carry project and host. Of the host it sees the directory
 * where it meets the runtime, read-only, and that of its certificates. Its configuration holds no secret.
 */
export function ingressContainerSpec(
  container: IngressContainer,
  labels: Readonly<Record<string, string>>,
) {
  const { name, image, projectDir, network, site } = container;
  const meeting = `${projectDir}/${INGRESS_DIRECTORY}`;
  const certificates = `${projectDir}/${CERTIFICATES_DIRECTORY}/${site.name}`;
  return {
    name,
    image,
    labels: { ...labels, [LABELS.role]: "ingress", [LABELS.specHash]: container.specHash },
    user: `${container.uid}:${container.gid}`,
    groupAdd: [],
    argv: [
      canonicalJson(caddyConfig(site)),
      ...(site.tls.kind === "given" ? [`${INGRESS_MOUNT}/${GIVEN_CERTIFICATE}`] : []),
    ],
    env: { HOME: "/tmp" },
    network,
    // No address: every one the host has, IPv6 included.
    ports: [
      { hostIp: "", hostPort: 80, containerPort: INGRESS_PORTS.http },
      { hostIp: "", hostPort: 443, containerPort: INGRESS_PORTS.https },
    ],
    mounts: [
      { kind: "bind", source: meeting, target: INGRESS_MOUNT, readOnly: true },
      { kind: "bind", source: certificates, target: CERTIFICATES_MOUNT, readOnly: false },
      { kind: "tmpfs", target: "/tmp", sizeBytes: 64 * 1024 * 1024, mode: "1777" },
    ],
    readOnlyRoot: true,
    capDrop: ["ALL"],
    noNewPrivileges: true,
    pidsLimit: 256,
    memoryBytes: 384 * 1024 * 1024,
    restart: "unless-stopped",
    stopGraceSeconds: 10,
  } as const;
}
