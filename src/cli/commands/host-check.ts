import { lookup } from "node:dns/promises";
import { dirname, join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { settleBounded } from "../../base/concurrency.ts";
import { toAlError } from "../../base/errors.ts";
import { type Finding, judgeHealth, problemsFirst } from "../../core/host-health.ts";
import type { HostInput } from "../../core/project-input.ts";
import { openCredentialStore } from "../../credentials/credential-store.ts";
import { lookAtHealth } from "../../host/look-at-health.ts";
import type { EngineLook } from "../../provisioning/adopt-ports.ts";
import { readControllerStore } from "../../state/controller-store.ts";
import { openLocal } from "../../transport/local.ts";
import type { Transport } from "../../transport/transport.ts";
import { checkPublic } from "../check-public.ts";
import { openTransport } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { lookAtEngine } from "../machines.ts";
import { checkAddress, type Fleet, hostOf, readFleet } from "../read-fleet.ts";
import { healthLines } from "../render/hosts.ts";
import { storeDirectory } from "../wake.ts";

const PARALLEL_HOSTS = 10;
const NO_SSHD =
  "sshd's settings: that takes root, sudo without a password, or a runtime of ours there";

interface Checked {
  readonly host: string;
  readonly findings: readonly Finding[];
  /** What the SSH user may not see there. */
  readonly unseen: readonly string[];
}

/**
 * `al host check`: looks at hosts, all unless some are named, and says what to do about what is found.
 * Changes nothing. Exit code 1 when a host has a problem or cannot be looked at; advice alone is 0.
 */
export async function hostCheck(context: CliContext, names: readonly string[]): Promise<number> {
  const { output } = context;
  const fleet = await readFleet(context);
  const hosts = names.length === 0 ? fleet.hosts : names.map((name) => hostOf(fleet, name));
  const store = readControllerStore(storeDirectory(context.home, fleet.file.project.name));
  const pins = new Map(hosts.map(({ host }) => [host, store.believedKeys(host)]));
  store.close();
  const results = await settleBounded(hosts, PARALLEL_HOSTS, (host) =>
    checkHost(context, fleet, { host, fingerprints: pins.get(host.host) ?? [] }),
  );
  let isSound = true;
  for (const result of results) {
    if (result.status === "rejected") {
      output.fail(toAlError(result.reason));
      isSound = false;
      continue;
    }
    const { host, findings, unseen } = result.value;
    output.record({ kind: "checked", host, findings, unseen });
    for (const line of healthLines(host, findings, unseen)) output.line(line);
    if (findings.some(({ severity }) => severity === "problem")) isSound = false;
  }
  return isSound ? EXIT.done : EXIT.error;
}

async function checkHost(
  context: CliContext,
  fleet: Fleet,
  { host, fingerprints }: { readonly host: HostInput; readonly fingerprints: readonly string[] },
): Promise<Checked> {
  const { signal, dockerSocket } = context;
  checkAddress(host);
  const isLocal = host.provider === "local";
  const transport = await open(context, host, fingerprints);
  try {
    const socket = isLocal ? { socketPath: dockerSocket } : {};
    const [look, engine, addresses] = await Promise.all([
      lookAtHealth(transport, systemClock, { signal }),
      lookAtEngine(transport, { signal, ...socket }),
      isLocal ? [] : addressesOf(host.address),
    ]);
    const docker = engine.kind === "usable" ? engine : undefined;
    const judged = judgeHealth({ ...look, docker, addresses });
    const seen = { host, look, addresses, transport, isUsable: docker !== undefined };
    const published = await checkPublic(context, fleet, seen);
    const findings = [...engineFindings(engine), ...judged, ...published.findings];
    return {
      host: host.host,
      findings: problemsFirst(findings),
      unseen: [...(look.sshd || isLocal ? [] : [NO_SSHD]), ...published.unseen],
    };
  } finally {
    await transport.close();
  }
}

function open(
  { home, signal }: CliContext,
  host: HostInput,
  fingerprints: readonly string[],
): Promise<Transport> | Transport {
  if (host.provider === "local")
    return openLocal({ host: host.host, env: { HOME: dirname(home) } });
  const credentials = openCredentialStore(join(home, "credentials"));
  return openTransport(host, credentials, { fingerprints, signal });
}

/** Every address that a name has; the connection was made to one of them. */
async function addressesOf(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true }).catch(() => []);
  return [...new Set(found.map(({ address }) => address))];
}

/** Docker that does not answer is what a host is for, so it comes first. */
function engineFindings(engine: EngineLook): Finding[] {
  if (engine.kind === "usable") return [];
  const todo = engine.hint ?? "Look at Docker's log on the host: journalctl -u docker";
  return [{ severity: "problem", topic: "docker", says: engine.says, todo }];
}
