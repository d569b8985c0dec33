import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { openCredentialStore } from "../../credentials/credential-store.ts";
import type { MachinePlace } from "../../provisioning/ports.ts";
import {
  type RotateKeyDeps,
  type RotateStep,
  rotateHostKey,
} from "../../provisioning/rotate-key.ts";
import { type ControllerStore, openControllerStore } from "../../state/controller-store.ts";
import { fingerprintOfText } from "../../transport/host-key.ts";
import { believedKey } from "../believed-key.ts";
import { noKey, notApproved } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { writeLockedKey } from "../lock-file.ts";
import { approvalsIn, contactOver } from "../open-provisioning.ts";
import { takeProvisioningLock } from "../provisioning-lock.ts";
import { checkAddress, checkRemote, hostOf, readFleet } from "../read-fleet.ts";
import { storeDirectory } from "../wake.ts";

/**
 * `al host rotate-key`: has a host make another host key, and approves that instead of the one it has.
 * Whatever cuts it off, deployments go on, and the same command finishes.
 */
export async function hostRotateKey(context: CliContext, name: string): Promise<number> {
  const { home, output, project, signal } = context;
  const fleet = await readFleet(context);
  const host = hostOf(fleet, name);
  checkRemote(host, "It is reached without SSH.");
  checkAddress(host);
  const { name: projectName } = fleet.file.project;
  const release = takeProvisioningLock(context, projectName);
  const store = openControllerStore(storeDirectory(home, projectName));
  try {
    const replaced = store.hostKey(name);
    if (replaced === undefined) throw notApproved(name);
    let isPublished = false;
    const deps = await openRotation(context, store, async (hostKey) => {
      isPublished = await writeLockedKey(project, name, hostKey);
    });
    const onStep = (step: RotateStep) => {
      output.record({ kind: "rotating-key", host: name, step });
      output.progress(`${name}: ${STEPS[step]}`);
    };
    const { address, port, user } = host;
    const place: MachinePlace = { host: name, address, port, user };
    const hostKey = await rotateHostKey(place, deps, { onStep, signal });
    const fingerprint = fingerprintOfText(hostKey);
    output.record({ kind: "key-rotated", host: name, replaced, fingerprint, hostKey });
    output.line(`${name}: its key is ${fingerprint}, and no longer ${replaced}`);
    if (isPublished) output.line("  fleet.lock.toml has it: commit it");
    else if (fleet.locked[name]) {
      output.line(`  fleet.lock.toml still has the old one; in a checkout: al provision ${name}`);
    }
    return EXIT.done;
  } finally {
    store.close();
    release();
  }
}

const STEPS: Readonly<Record<RotateStep, string>> = {
  make: "making another host key",
  take: "having sshd take it",
  prove: "waiting for a connection that proves it",
  approve: "approving it",
};

async function openRotation(
  { home }: CliContext,
  store: ControllerStore,
  publish: RotateKeyDeps["publish"],
): Promise<RotateKeyDeps> {
  const credentials = openCredentialStore(join(home, "credentials"));
  const privateKey = await credentials.read("vps_ssh/default/private_key");
  if (!privateKey) throw noKey();
  const believed = (host: string) => store.believedKeys(host);
  return {
    contact: {
      connect: (place, hostKeys, call) => {
        const findKey = () => believed(place.host);
        return contactOver(privateKey, { findKey }).connect(place, hostKeys, call);
      },
      believedKey: (place, call) => believedKey(place, believed(place.host), call),
    },
    pins: {
      ...approvalsIn(store),
      expect: (host, hostKey) => store.expectKey(host, fingerprintOfText(hostKey)),
    },
    ...{ records: store, clock: systemClock, publish },
  };
}
