import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import { Secret } from "../base/secret.ts";
import { readProvisionAssets } from "../cloud/provision-assets.ts";
import { createRateLimiter } from "../cloud/rate-limiter.ts";
import { renderUserData } from "../cloud/user-data.ts";
import { openVultr, VULTR_REQUESTS_PER_SECOND } from "../cloud/vultr-http.ts";
import { vultrProvider } from "../cloud/vultr-provider.ts";
import { openCredentialStore } from "../credentials/credential-store.ts";
import { type MachineOptions, newMachine } from "../host/new-machine.ts";
import type { ContactPort, HostKeyApprovals } from "../provisioning/ports.ts";
import type { ProvisionDeps } from "../provisioning/provision-host.ts";
import { generateSshKeyPair } from "../provisioning/ssh-key-pair.ts";
import {
  type ControllerStore,
  openControllerStore,
  readControllerStore,
} from "../state/controller-store.ts";
import { fingerprintOfText } from "../transport/host-key.ts";
import { publicKeyOf } from "../transport/public-key.ts";
import { connectSsh } from "../transport/ssh.ts";
import type { CliContext } from "./context.ts";
import { PACKAGE_ROOT } from "./package-root.ts";
import { checkedVultrUrl } from "./vultr-url.ts";
import { storeDirectory } from "./wake.ts";

const VULTR_KEY = "vultr_api_key/default/api_key";
const SSH_KEY = "vps_ssh/default/private_key";

/** The adapters that machines of one project are made with. */
export interface Provisioning {
  readonly deps: ProvisionDeps;
  close(): void;
}

/**
 * Wires what machines are made with; connects to nothing yet. `read` leaves the controller's store as
 * it is, absent included.
 * @throws AlError `credential-missing`, `unusable-key`, `bad-vultr-url` (user).
 */
export async function openProvisioning(
  { home, vultrUrl }: Pick<CliContext, "home" | "vultrUrl">,
  project: string,
  access: "read" | "write",
): Promise<Provisioning> {
  const credentials = openCredentialStore(join(home, "credentials"));
  const key = await credentials.read(VULTR_KEY);
  if (!key) throw missing("key for Vultr's API", "vultr_api_key");
  const privateKey = await credentials.read(SSH_KEY);
  if (!privateKey) throw missing("SSH key for the fleet's hosts", "vps_ssh");
  const authorizedKeys = [publicKeyOf(privateKey)];
  const clock = systemClock;
  const send = openVultr({
    key: new Secret(key.reveal().trim()),
    limiter: createRateLimiter(VULTR_REQUESTS_PER_SECOND, clock),
    ...{ clock, random: Math.random },
    ...(vultrUrl !== undefined && { baseUrl: checkedVultrUrl(vultrUrl) }),
  });
  const openStore = access === "read" ? readControllerStore : openControllerStore;
  const store = openStore(storeDirectory(home, project));
  return {
    deps: {
      ...{ provider: vultrProvider(send), records: store, clock },
      contact: contactOver(privateKey),
      approvals: approvalsIn(store),
      newNonce: () => randomBytes(10).toString("hex"),
      async firstBoot(boot) {
        const hostKey = generateSshKeyPair();
        const assets = await readProvisionAssets(PACKAGE_ROOT);
        const userData = renderUserData(assets, { ...boot, authorizedKeys, hostKey });
        return { userData, hostKey: hostKey.publicKey };
      },
    },
    close: () => store.close(),
  };
}

/** A way to machines, with the fleet's key. */
export function contactOver(privateKey: Secret, options?: MachineOptions): ContactPort {
  return {
    async connect(place, hostKeys, { signal } = {}) {
      const fingerprints = hostKeys.map(fingerprintOfText);
      const hostKey = { kind: "pinned", fingerprints } as const;
      return newMachine(await connectSsh({ ...place, privateKey, hostKey, signal }), options);
    },
  };
}

/** The controller's own approvals, which passes obey. */
export function approvalsIn(store: Pick<ControllerStore, "hostKey" | "approve">): HostKeyApprovals {
  return {
    isApproved: (host, hostKey) => store.hostKey(host) === fingerprintOfText(hostKey),
    approve({ host, address, port }, hostKey) {
      const fingerprint = fingerprintOfText(hostKey);
      const endpoint = `${address}:${port}`;
      store.approve({ kind: "host-key", host, fingerprint, endpoint }, Date.now());
    },
  };
}

function missing(what: string, type: string): AlError {
  return new AlError(`there is no ${what}`, {
    code: "credential-missing",
    blame: "user",
    hint: `Add it: al creds add ${type}`,
  });
}
