import { dirname, join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import type { HostAddress } from "../core/desired.ts";
import { openCredentialStore } from "../credentials/credential-store.ts";
import type { Materials } from "../host/carry-out.ts";
import { type HostConnection, openHost } from "../host/session.ts";
import { boundHandshakes } from "../reconcile/bound-handshakes.ts";
import type { PassDeps } from "../reconcile/pass.ts";
import type { HostsPort } from "../reconcile/ports.ts";
import {
  type ControllerStore,
  openControllerStore,
  readControllerStore,
} from "../state/controller-store.ts";
import type { Endpoint } from "../transport/dial.ts";
import { openLocal } from "../transport/local.ts";
import { readHostKey } from "../transport/read-host-key.ts";
import { connectSsh } from "../transport/ssh.ts";
import { openBuilders } from "./builders.ts";
import type { CliContext } from "./context.ts";
import { openImageSource } from "./image-source.ts";
import { readLocalInventory } from "./local-inventory.ts";
import { storeDirectory } from "./wake.ts";

/** The adapters of one project, wired together. */
export interface Adapters {
  readonly store: ControllerStore;
  readonly hosts: HostsPort;
  readonly deps: PassDeps;
  /** Fires when the command is interrupted. */
  readonly signal: AbortSignal;
  /** A connection for commands that look at or talk to a host outside a pass. */
  connect(address: HostAddress): Promise<HostConnection>;
  close(): void;
}

/** How adapters are wired. */
export interface ComposeOptions {
  /** `given`: running the command is the operator's word. Default `asked`. */
  readonly grants?: "asked" | "given" | undefined;
  /** `read` leaves the controller's store as it is, absent included. Default `write`. */
  readonly store?: "read" | "write";
}

/** Wires every adapter a project's commands need; connects to nothing yet. */
export function compose(
  context: CliContext,
  project: string,
  { grants = "asked", store: access = "write" }: ComposeOptions = {},
): Adapters {
  const { home } = context;
  const credentials = openCredentialStore(join(home, "credentials"));
  const openStore = access === "read" ? readControllerStore : openControllerStore;
  const store = openStore(storeDirectory(home, project));
  const builders = openBuilders({
    socketPath: context.dockerSocket,
    connect: (address, { signal }) =>
      openTransport(address, credentials, {
        fingerprints: store.believedKeys(address.host),
        signal,
      }),
  });
  const images = openImageSource({
    ...{ project, home, builders },
    listed: async () => [
      ...store.knownHosts().flatMap(({ inventory }) => inventory.items),
      ...(await readLocalInventory(home, project)).items,
    ],
  });
  const materials = { images, credential: credentials.read };
  const hosts = boundHandshakes({
    async connect(address: HostAddress, { signal }: { signal?: AbortSignal | undefined }) {
      if (address.provider === "local") return openThisMachine(context, address, materials);
      const fingerprints = store.believedKeys(address.host);
      return openHost(
        await openTransport(address, credentials, { fingerprints, signal }),
        materials,
      );
    },
    async readHostKey(address, { signal } = {}) {
      if (address.provider === "local") return undefined;
      checkProvisioned(address);
      return readHostKey(endpointOf(address), { signal });
    },
  });
  const approvals = grants === "given" ? { ...store, isGranted: () => true } : store;
  return {
    store,
    hosts,
    signal: context.signal,
    deps: {
      ...{ hosts, approvals, credentials, clock: systemClock, holder: context.holder },
      // Without a fleet.toml there is no fleet that a host could leave; another project's hosts are not ours.
      ...(grants === "asked" && { memory: store }),
    },
    connect: (address) =>
      hosts.connect(address, { fingerprint: store.hostKey(address.host), signal: context.signal }),
    close() {
      builders.close();
      store.close();
    },
  };
}

/** The machine `al` runs on: its engine, and the operator's own home directory. */
function openThisMachine(
  { home, dockerSocket }: CliContext,
  { host }: HostAddress,
  materials: Materials,
): HostConnection {
  const transport = openLocal({ host, env: { HOME: dirname(home) } });
  return openHost(transport, materials, { fence: "parent", socketPath: dockerSocket });
}

/**
 * Connects to a host that proves one of these keys over SSH, with the fleet's key.
 * @throws AlError `approval-needed` without a fingerprint, `credential-missing` without a key.
 */
export async function openTransport(
  address: Pick<HostAddress, "host" | "address" | "port" | "user">,
  credentials: ReturnType<typeof openCredentialStore>,
  options: { fingerprints: readonly string[]; signal?: AbortSignal | undefined },
) {
  const { host } = address;
  const { fingerprints, signal } = options;
  checkProvisioned(address);
  if (fingerprints.length === 0) throw notApproved(host);
  const privateKey = await credentials.read("vps_ssh/default/private_key");
  if (!privateKey) throw noKey();
  const hostKey = { kind: "pinned", fingerprints } as const;
  return connectSsh({ ...endpointOf(address), user: address.user, privateKey, hostKey, signal });
}

function endpointOf({ host, address, port }: Endpoint): Endpoint {
  return { host, address, port };
}

/** An empty address would be this machine. */
function checkProvisioned({ host, address }: Endpoint): void {
  if (address !== "") return;
  throw new AlError(`host ${host} has no machine yet`, {
    code: "not-provisioned",
    blame: "user",
    hint: `Make it: al provision ${host}`,
  });
}

/** No key of the host is approved. */
export function notApproved(host: string): AlError {
  return new AlError(`host ${host}: its key has not been approved`, {
    code: "approval-needed",
    blame: "user",
    hint: "See what waits for your yes: al approve",
  });
}

/** The fleet's hosts could not be logged in to. */
export function noKey(): AlError {
  return new AlError("there is no SSH key for the fleet's hosts", {
    code: "credential-missing",
    blame: "user",
    hint: "Add the private key: al creds add vps_ssh --field private_key=@FILE",
  });
}
