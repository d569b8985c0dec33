import { AlError } from "../../base/errors.ts";
import type { KnownHost } from "../../core/known-host.ts";
import { leftOrders } from "../../provisioning/orphans.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { openProject } from "../project.ts";
import { leftLine } from "../render/orphans.ts";

/** `al host forget`: gives up a host that left fleet.toml without being cleaned. Prints what stays there. */
export async function hostForget(context: CliContext, name: string): Promise<number> {
  const { output } = context;
  const { fleet } = await openProject(context);
  if (fleet.hosts.some(({ spec }) => spec.host === name)) throw stillThere(name);
  const known = knownHost(context, fleet.project, name);
  const { store, close } = compose(context, fleet.project);
  try {
    store.forget(name);
    const { address, inventory } = known;
    output.record({ kind: "forgotten", host: name, address, left: inventory.items });
    output.line(`${name}: given up. What stays on ${address.address}, as last seen:`);
    for (const { kind, id } of inventory.items) output.line(`  ${kind} ${id}`);
    const order = leftOrders([], store).find(({ host }) => host === name);
    if (order) output.line(leftLine(order));
    return EXIT.done;
  } finally {
    close();
  }
}

/** Reads first: where nothing is to be forgotten, no store is made. */
function knownHost(context: CliContext, project: string, name: string): KnownHost {
  const { store, close } = compose(context, project, { store: "read" });
  try {
    const known = store.knownHosts().find(({ address }) => address.host === name);
    if (!known) throw unknown(name);
    return known;
  } finally {
    close();
  }
}

function stillThere(name: string): AlError {
  return new AlError(`host ${name} is in fleet.toml`, {
    code: "host-in-fleet",
    blame: "user",
    hint: "Remove it from fleet.toml, commit, and run al apply: that cleans it.",
  });
}

function unknown(name: string): AlError {
  return new AlError(`nothing is known of a host ${name}`, {
    code: "unknown-host",
    blame: "user",
    hint: "Hosts that left fleet.toml and still hold something are listed by: al plan",
  });
}
