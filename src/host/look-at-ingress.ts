import type { CallOptions } from "../base/deadline.ts";
import { LABELS } from "../core/names.ts";
import type { DockerClient } from "../docker/docker-client.ts";

/** The ingress's container of a project on a host, the running one where there are several; undefined without one. */
export async function lookAtIngress(
  docker: DockerClient,
  project: string,
  options: CallOptions = {},
): Promise<{ readonly name: string; readonly state: string } | undefined> {
  const wanted = { [LABELS.project]: project, [LABELS.role]: "ingress" };
  const found = await docker.listContainers(wanted, options);
  const one = found.find(({ state }) => state === "running") ?? found[0];
  return one && { name: one.name, state: one.state };
}
