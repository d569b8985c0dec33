import { randomUUID } from "node:crypto";
import { systemClock } from "../../src/base/clock.ts";
import { Secret } from "../../src/base/secret.ts";
import { readProvisionAssets } from "../../src/cloud/provision-assets.ts";
import { createRateLimiter } from "../../src/cloud/rate-limiter.ts";
import { renderUserData } from "../../src/cloud/user-data.ts";
import { openVultr, VULTR_REQUESTS_PER_SECOND } from "../../src/cloud/vultr-http.ts";
import { vultrProvider } from "../../src/cloud/vultr-provider.ts";
import type { MachineOs } from "../../src/core/machine.ts";
import { awaitMachine } from "../../src/provisioning/await-machine.ts";
import { ensureMachine } from "../../src/provisioning/ensure-machine.ts";
import { releaseMachine } from "../../src/provisioning/release-machine.ts";
import { generateSshKeyPair } from "../../src/provisioning/ssh-key-pair.ts";
import { memoryRecords } from "../unit/provisioning/rig.ts";
import { startVultrServer } from "../vultr/server.ts";
import {
  type CloudMachine,
  CloudMachines,
  type CloudOs,
  ensureCloudImage,
} from "./cloud-machine.ts";
import type { Engine } from "./engine.ts";
import { checkoutRoot } from "./names.ts";

const login = generateSshKeyPair();

/** An operating system and the plan it is booted with. */
export interface CloudOrder {
  readonly os: CloudOs;
  readonly plan: string;
}

/** Everything between an order at the stand-in and a machine that has done its first boot. */
export async function orderMachine(engine: Engine, { os, plan }: CloudOrder) {
  const log = () => undefined;
  const machines = new CloudMachines(engine, await ensureCloudImage(engine, os, { log }));
  const { baseUrl, standIn, close } = await startVultrServer({ machines });
  const clock = systemClock;
  const limiter = createRateLimiter(VULTR_REQUESTS_PER_SECOND, clock);
  const key = new Secret(standIn.key);
  const provider = vultrProvider(openVultr({ key, limiter, clock, random: () => 0.5, baseUrl }));
  const records = memoryRecords().living();
  const order = { project: "acme", host: `cloud-${os}` };
  const choice = { region: "ams", plan, os };
  const { memoryMb } = await provider.checkChoice(choice);
  const { machine: made, hostKey } = await ensureMachine(
    { ...order, ...choice, tags: [], ipv6: false },
    {
      ...{ provider, records, clock, newNonce: randomUUID },
      firstBoot: () => firstBootFor(os, memoryMb),
    },
  );
  const { address } = await awaitMachine(made.id, { provider, clock, host: order.host });
  const machine = machines.machines.get(made.id) as CloudMachine;
  await machine.booted();
  const privateKey = login.privateKey.reveal();
  return {
    ...{ machines, machine, records },
    view: { address, port: 22, user: "deploy", privateKey, hostPublicKey: hostKey },
    release: () => releaseMachine(order, { provider, records, clock }),
    async close() {
      for (const id of [...machines.machines.keys()]) await machines.destroy(id);
      await close();
    },
  };
}

/** What a machine of this distribution and size is told, with a host key of its own. */
export async function firstBootFor(os: MachineOs, memoryMb: number) {
  const hostKey = generateSshKeyPair();
  const authorizedKeys = [login.publicKey];
  const boot = { os, memoryMb, hostKey, user: "deploy", authorizedKeys };
  const userData = renderUserData(await readProvisionAssets(checkoutRoot), boot);
  return { userData, hostKey: hostKey.publicKey };
}
