import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import type { HostAddress } from "../core/desired.ts";
import { openCredentialStore } from "../credentials/credential-store.ts";
import { type HostConnection, openHost } from "../host/session.ts";
import type { PassDeps } from "../reconcile/pass.ts";
import type { HostsPort } from "../reconcile/ports.ts";
import { type ControllerStore, openControllerStore } from "../state/controller-store.ts";
import { openLocal } from "../transport/local.ts";
import { readHostKey } from "../transport/read-host-key.ts";
import { connectSsh } from "../transport/ssh.ts";
import type { CliContext } from "./context.ts";
import { openLocalImages } from "./local-images.ts";
import { storeDirectory } from "./wake.ts";

/** The adapters of one project, wired together. */
export interface Adapters {
  readonly store: ControllerStore;
  readonly hosts: HostsPort;
  readonly deps: PassDeps;
  /** A connection for commands that look at or talk to a host outside a pass. */
  connect(address: HostAddress): Promise<HostConnection>;
  close(): void;
}

/** Wires every adapter a project's commands need; connects to nothing yet. */
export function compose(context: CliContext, project: string): Adapters {
  const { home } = context;
  const credentials = openCredentialStore(join(home, "credentials"));
  const store = openControllerStore(storeDirectory(home, project));
  const images = openLocalImages({ project, home, socketPath: context.dockerSocket });
  const materials = { images, credential: credentials.read };
  const connect = async (
    address: HostAddress,
    options: { fingerprint: string | undefined; signal?: AbortSignal | undefined },
  ) => {
    const fence = address.provider === "local" ? "parent" : "session";
    return openHost(await openTransport(address, credentials, options), materials, { fence });
  };
  const hosts: HostsPort = {
    connect,
    async readHostKey(address, { signal } = {}) {
      if (address.provider === "local") return undefined;
      return readHostKey(endpointOf(address), { signal });
    },
  };
  return {
    store,
    hosts,
    deps: {
      ...{ hosts, approvals: store, credentials, memory: store },
      ...{ clock: systemClock, holder: context.holder },
    },
    connect: (address) =>
      connect(address, { fingerprint: store.hostKey(address.host), signal: context.signal }),
    close() {
      images.close();
      store.close();
    },
  };
}

async function openTransport(
  address: HostAddress,
  credentials: ReturnType<typeof openCredentialStore>,
  options: { fingerprint: string | undefined; signal?: AbortSignal | undefined },
) {
  const { host } = address;
  if (address.provider === "local") return openLocal({ host });
  const { fingerprint, signal } = options;
  if (fingerprint === undefined) throw notApproved(host);
  const privateKey = await credentials.read("vps_ssh/default/private_key");
  if (!privateKey) throw noKey();
  const hostKey = { kind: "pinned", fingerprints: [fingerprint] } as const;
  return connectSsh({ ...endpointOf(address), user: address.user, privateKey, hostKey, signal });
}

function endpointOf({ host, address, port }: HostAddress) {
  return { host, address, port };
}

function notApproved(host: string): AlError {
  return new AlError(`host ${host}: its key has not been approved`, {
    code: "approval-needed",
    blame: "user",
    hint: "See what waits for your yes: al approve",
  });
}

function noKey(): AlError {
  return new AlError("there is no SSH key for the fleet's hosts", {
    code: "credential-missing",
    blame: "user",
    hint: "Put the private key at ~/.action-llama/credentials/vps_ssh/default/private_key (mode 0600).",
  });
}
