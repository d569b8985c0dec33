import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import type { Certificate } from "../core/certificate-health.ts";
import type { Finding } from "../core/host-health.ts";
import { givenCertificate, type PublicSite } from "../core/ingress-config.ts";
import type { HostInput } from "../core/project-input.ts";
import { judgePublic } from "../core/public-health.ts";
import { openCredentialStore } from "../credentials/credential-store.ts";
import { openDocker } from "../docker/docker-client.ts";
import { lookAtIngress } from "../host/look-at-ingress.ts";
import type { HealthLook } from "../host/parse-health.ts";
import type { Transport } from "../transport/transport.ts";
import type { CliContext } from "./context.ts";
import { certificateOf, lookAtPublic } from "./look-at-public.ts";
import type { Fleet } from "./read-fleet.ts";

/** A host that is being looked at, and what was found so far. */
export interface SeenHost {
  readonly host: HostInput;
  readonly look: HealthLook;
  /** What its address in fleet.toml resolves to. */
  readonly addresses: readonly string[];
  readonly transport: Transport;
  /** Its Docker answers. */
  readonly isUsable: boolean;
}

/** What is to be said of the public name, and what of it could not be seen. */
interface PublicFindings {
  readonly findings: readonly Finding[];
  readonly unseen: readonly string[];
}

const PORTS = [80, 443];

/** Looks at what is public on this host: nothing where it is not the ingress host. */
export async function checkPublic(
  context: CliContext,
  { ingress, file }: Pick<Fleet, "ingress" | "file">,
  seen: SeenHost,
): Promise<PublicFindings> {
  if (ingress === "unclear") {
    const unseen = "the public name: [gateway] of config.toml is not valid, al plan says where";
    return { findings: [], unseen: [unseen] };
  }
  if (ingress?.host !== seen.host.host || !seen.isUsable) return { findings: [], unseen: [] };
  const { signal } = context;
  const { site } = ingress;
  const { host, look, addresses } = seen;
  const at = host.provider === "local" ? "127.0.0.1" : host.address;
  const [container, asked, stored] = await Promise.all([
    ingressOn(context, file.project.name, seen),
    lookAtPublic(site.name, at, { signal }),
    storedCertificate(context, site),
  ]);
  const findings = judgePublic({
    ...{ site, container, stored, ...asked },
    remote: host.provider === "local" ? undefined : host.host,
    nowMs: systemClock.now(),
    taken: PORTS.filter((port) => look.listening.some((socket) => socket.port === port)),
    own: [...look.interfaceAddresses, ...addresses],
  });
  const unseen = asked.leadsTo ? [] : [`where ${site.name} leads: DNS does not answer here`];
  return { findings, unseen };
}

async function ingressOn(
  { dockerSocket, signal }: CliContext,
  project: string,
  { host, transport }: SeenHost,
) {
  const socket = host.provider === "local" ? { socketPath: dockerSocket } : {};
  const docker = openDocker(transport, socket);
  try {
    return await lookAtIngress(docker, project, { signal });
  } finally {
    docker.close();
  }
}

/** Undefined also where it is no certificate: whoever delivers it is told. */
async function storedCertificate(
  { home }: CliContext,
  site: PublicSite,
): Promise<Certificate | undefined> {
  const instance = givenCertificate(site);
  if (instance === undefined) return undefined;
  const credentials = openCredentialStore(join(home, "credentials"));
  const found = await credentials.read(`tls_certificate/${instance}/certificate`);
  try {
    return found && certificateOf(new X509Certificate(found.revealBytes()), site.name);
  } catch {
    return undefined;
  }
}
