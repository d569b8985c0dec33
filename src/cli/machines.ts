import { join } from "node:path";
import type { CallOptions } from "../base/deadline.ts";
import { AlError } from "../base/errors.ts";
import { openCredentialStore } from "../credentials/credential-store.ts";
import { openDocker } from "../docker/docker-client.ts";
import type { EngineLook, MachinesPort } from "../provisioning/adopt-ports.ts";
import { readHostKey } from "../transport/read-host-key.ts";
import type { Transport } from "../transport/transport.ts";
import { openTransport } from "./compose.ts";

/** Machines reached over SSH with the key in the operator's store. */
export function openMachines(home: string): MachinesPort {
  const credentials = openCredentialStore(join(home, "credentials"));
  return {
    readHostKey,
    async connect(login, { fingerprint, signal }) {
      const fingerprints = [fingerprint];
      const transport = await openTransport(login, credentials, { fingerprints, signal });
      return {
        exec: (argv, options) => transport.exec(argv, options),
        engine: (options) => lookAtEngine(transport, { ...options }),
        close: () => transport.close(),
      };
    },
  };
}

const KINDS: Readonly<Record<string, "missing" | "refused" | "down">> = {
  "docker-missing": "missing",
  "docker-permission": "refused",
  "docker-down": "down",
};

/** How the Docker of a transport's machine is; only what has to do with Docker is a value. */
export async function lookAtEngine(
  transport: Transport,
  { socketPath, ...options }: CallOptions & { readonly socketPath?: string } = {},
): Promise<EngineLook> {
  const docker = openDocker(transport, { socketPath });
  try {
    const info = await docker.engineInfo({ timeoutMs: 30_000, ...options });
    const { serverVersion: version, architecture, liveRestore } = info;
    return { kind: "usable", version, architecture, liveRestore };
  } catch (thrown) {
    const kind = thrown instanceof AlError ? KINDS[thrown.code] : undefined;
    if (kind === undefined) throw thrown;
    const { message: says, hint } = thrown as AlError;
    return { kind, says, hint };
  } finally {
    docker.close();
  }
}
