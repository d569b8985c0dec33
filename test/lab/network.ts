import type Docker from "dockerode";
import { AlError } from "../../src/base/errors.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { checkoutId, currentRun, runLabels } from "./names.ts";

/** The network that the hosts of one run share with this machine. */
export interface LabNetwork {
  readonly name: string;
  /** `10.211.7`: the first three numbers of its /24. */
  readonly prefix: string;
  /** This machine's address in it: servers that hosts and their containers reach bind here. */
  readonly gatewayAddress: string;
}

/** The network of the current run, made when missing. */
export async function ensureLabNetwork(engine: Engine): Promise<LabNetwork> {
  const docker = connectEngine(engine);
  const name = `al-lab-${checkoutId}-${currentRun().id}`;
  return (await findNetwork(docker, name)) ?? (await createNetwork(docker, name));
}

async function findNetwork(docker: Docker, name: string): Promise<LabNetwork | undefined> {
  const filters = { name: [`^${name}$`] };
  const [found] = await docker.listNetworks({ filters });
  const gatewayAddress = found?.IPAM?.Config?.[0]?.Gateway;
  return gatewayAddress === undefined ? undefined : describe(name, gatewayAddress);
}

/** A subnet is given, since only then may hosts keep an address over restarts. */
async function createNetwork(docker: Docker, name: string): Promise<LabNetwork> {
  const first = Number.parseInt(checkoutId.slice(0, 4), 16) + Number.parseInt(name.slice(-2), 16);
  for (let step = 0; step < 120; step += 1) {
    const prefix = `10.212.${(first + step) % 256}`;
    try {
      await docker.createNetwork({
        Name: name,
        Driver: "bridge",
        CheckDuplicate: true,
        Labels: runLabels(currentRun()),
        IPAM: { Driver: "default", Config: [{ Subnet: `${prefix}.0/24`, Gateway: `${prefix}.1` }] },
      });
      return describe(name, `${prefix}.1`);
    } catch (thrown) {
      const found = await findNetwork(docker, name);
      if (found) return found;
      if (!/overlap/i.test(String(thrown))) throw thrown;
    }
  }
  throw new AlError("the lab finds no free subnet below 10.212.0.0/16", {
    code: "lab-no-subnet",
    blame: "user",
  });
}

function describe(name: string, gatewayAddress: string): LabNetwork {
  return { name, prefix: gatewayAddress.split(".").slice(0, 3).join("."), gatewayAddress };
}
