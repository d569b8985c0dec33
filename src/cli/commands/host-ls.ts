import type { HostInput } from "../../core/project-input.ts";
import { type ControllerStore, readControllerStore } from "../../state/controller-store.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { type Fleet, hostOf, readFleet } from "../read-fleet.ts";
import { hostLines, hostsTable, type KnownOfHost } from "../render/hosts.ts";
import { storeDirectory } from "../wake.ts";

/** `al host ls`: every host of fleet.toml, and what is known of it. Asks no host. */
export async function hostLs(context: CliContext): Promise<number> {
  const { output } = context;
  const fleet = await readFleet(context);
  const known = withStore(context, fleet, (store) =>
    fleet.hosts.map((host) => knownOf(fleet, host, store)),
  );
  for (const one of known) output.record({ kind: "host", ...one });
  if (known.length === 0) {
    output.line("fleet.toml has no hosts; add one: al provision");
    output.line("or a machine that you have: al provision NAME --ssh USER@ADDRESS");
  } else for (const line of hostsTable(known)) output.line(line);
  return EXIT.done;
}

/** `al host show`: all that is known of one host. Asks no host. */
export async function hostShow(context: CliContext, name: string): Promise<number> {
  const { output } = context;
  const fleet = await readFleet(context);
  const host = hostOf(fleet, name);
  const known = withStore(context, fleet, (store) => knownOf(fleet, host, store));
  output.record({ kind: "host", ...known });
  for (const line of hostLines(known)) output.line(line);
  return EXIT.done;
}

function withStore<T>(
  { home }: CliContext,
  { file }: Fleet,
  read: (from: ControllerStore) => T,
): T {
  const store = readControllerStore(storeDirectory(home, file.project.name));
  try {
    return read(store);
  } finally {
    store.close();
  }
}

function knownOf({ locked }: Fleet, host: HostInput, store: ControllerStore): KnownOfHost {
  const seen = store.knownHosts().find(({ address }) => address.host === host.host);
  const [approvedKey, nextKey] = store.believedKeys(host.host);
  const { instanceId, hostKey } = locked[host.host] ?? {};
  return {
    ...host,
    approvedKey,
    ...(nextKey !== undefined && { nextKey }),
    ...(instanceId !== undefined && { instanceId }),
    ...(hostKey !== undefined && { lockedKey: hostKey }),
    ...(seen && { agents: seen.agents, items: seen.inventory.items.length }),
  };
}
