import { controlApi } from "../../../src/gateway/control-api.ts";
import type { HostConnection } from "../../../src/host/session.ts";
import { engineOf } from "../../memory-host/engine.ts";
import { openLink } from "../../memory-host/link.ts";
import { startByOperator } from "../../memory-host/machine.ts";
import { addressOf } from "../../memory-host/specs.ts";
import type { World } from "../../memory-host/world.ts";
import type { createPorts } from "../gateway/harness.ts";

/** A connection to a world's machine on which commands start and stop the project acme. */
export async function memoryConnection(
  { machine, deps, faults }: World,
  ports: ReturnType<typeof createPorts>,
): Promise<HostConnection> {
  const session = await deps.hosts.connect(addressOf(machine.host), {
    fingerprint: machine.hostKey,
  });
  const engine = engineOf(openLink(machine, faults));
  const app = controlApi(ports);
  const docker: Partial<HostConnection["docker"]> = {
    host: machine.host,
    startContainer: (name) => engine.startContainer(name),
    stopContainer: (name) => engine.stopContainer(name),
    listContainers: async () =>
      [...machine.containers].map(([name, container]) => ({ name, ...container }) as never),
  };
  const control: Partial<HostConnection["control"]> = {
    fetch: async (_runtime, url, init) => app.request(url, init),
  };
  return {
    ...(session as unknown as HostConnection),
    docker: docker as HostConnection["docker"],
    control: control as HostConnection["control"],
    removeStopped: async () => startByOperator(machine, "acme"),
    writeStopped: async (_directory, stopped) => {
      const files = machine.projects.get("acme");
      if (files) files.stopped = JSON.stringify(stopped);
    },
  };
}
