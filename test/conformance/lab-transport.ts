import { Secret } from "../../src/base/secret.ts";
import { connectSsh, type SshOptions } from "../../src/transport/ssh.ts";
import type { Transport } from "../../src/transport/transport.ts";
import type { LabHost } from "../lab/lab-host.ts";

/** What it takes to connect to a host of the lab. */
export function loginOf(host: LabHost): SshOptions {
  return {
    host: host.name,
    address: host.address,
    port: host.port,
    user: host.user,
    privateKey: new Secret(host.privateKey),
    hostKey: { kind: "pinned", fingerprints: [host.hostKeyFingerprint] },
  };
}

/** Our SSH transport to a host of the lab. */
export async function connectTo(
  host: LabHost,
  options: Partial<SshOptions> = {},
): Promise<Transport> {
  return connectSsh({ ...loginOf(host), ...options });
}
