import { randomUUID } from "node:crypto";
import {
  type CloudMachine,
  CloudMachines,
  type CloudOs,
  ensureCloudImage,
} from "./cloud-machine.ts";
import type { Engine } from "./engine.ts";
import { fingerprintOf, generateKeyPair } from "./keys.ts";

/**
 * Boots a machine as a provider hands it over: systemd and sshd, root let in by a key, others by a
 * password; no Docker, and nothing of ours.
 */
export async function startBareMachine(engine: Engine, os: CloudOs) {
  const image = await ensureCloudImage(engine, os, { log: () => undefined });
  const machines = new CloudMachines(engine, image);
  const [login, hostKey] = [generateKeyPair(), generateKeyPair()];
  const firstBoot = {
    ...{ users: [], disable_root: false, ssh_pwauth: true },
    ssh_authorized_keys: [login.publicKey],
    ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
  };
  const userData = `#cloud-config\n${JSON.stringify(firstBoot)}\n`;
  const id = randomUUID();
  const { address } = await machines.boot({ id, hostname: `bare-${os}`, userData });
  const machine = machines.machines.get(id) as CloudMachine;
  await machine.booted();
  const { privateKey } = login;
  return {
    machine,
    view: { address, port: 22, user: "root", privateKey, hostPublicKey: hostKey.publicKey },
    fingerprint: fingerprintOf(hostKey.publicKey),
    close: () => machines.destroy(id),
  };
}
