import { compose } from "../../../src/cli/compose.ts";
import type { HostConnection } from "../../../src/host/session.ts";
import type { HostsPort } from "../../../src/reconcile/ports.ts";
import { fingerprintOfText } from "../../../src/transport/host-key.ts";
import { createMachine, type Machine } from "../../memory-host/machine.ts";
import { memoryHosts } from "../../memory-host/memory-hosts.ts";
import type { memoryMachines } from "../provisioning/memory-machines.ts";

/** The stand-in's machines have these addresses; any other is really connected to. */
const TEST_NET = "192.0.2.";

/** The stand-in's machines as passes see them: each proves the key that first contact left there. */
export function memoryWire(machines: Pick<ReturnType<typeof memoryMachines>, "at">) {
  const hosts = new Map<string, Machine>();
  const hostAt = (host: string, address: string): Machine => {
    const found = hosts.get(address) ?? createMachine(host);
    found.hostKey = fingerprintOfText(machines.at(address).current);
    hosts.set(address, found);
    return found;
  };
  const wire: typeof compose = (context, project, more) => {
    const real = compose(context, project, more);
    const connect: HostsPort["connect"] = async (address, options) => {
      if (!address.address.startsWith(TEST_NET)) return real.hosts.connect(address, options);
      const reached = [hostAt(address.host, address.address)];
      const port = memoryHosts({ machines: reached, read: () => undefined });
      return port.connect(address, options);
    };
    const { store, deps } = real;
    return {
      ...real,
      deps: { ...deps, hosts: { ...real.hosts, connect } },
      async connect(address) {
        const fingerprint = store.hostKey(address.host);
        const session = await connect(address, { fingerprint, signal: context.signal });
        // It has no engine to ask: enough where no runtime serves.
        return session as HostConnection;
      },
    };
  };
  return { wire, hostAt };
}
