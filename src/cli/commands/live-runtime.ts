import { AlError } from "../../base/errors.ts";
import type { FleetSpec, HostAddress, HostSpec } from "../../core/desired.ts";
import type { ObservedHost } from "../../core/observed.ts";
import { agentsOf } from "../../core/placed-agents.ts";
import type { Stopped } from "../../core/stopped.ts";
import type { HostConnection } from "../../host/session.ts";
import type { Adapters } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { devPlace } from "../dev-place.ts";
import { openProject } from "../project.ts";
import { stoppedText } from "../render/holds.ts";

/** A host as it was just seen. */
export interface ObservedPlace {
  readonly connection: HostConnection;
  readonly observed: ObservedHost;
}

/** A host whose live runtime can be asked. */
export interface LiveRuntime extends ObservedPlace {
  /** Name of the live runtime container. */
  readonly runtime: string;
}

/** One host, and the project whose runtime there is meant. */
export interface RuntimePlace {
  readonly project: string;
  readonly address: HostAddress;
}

/**
 * Where an agent is placed, by the project's commit, or, with `dev`, where `al dev` runs it. Of several
 * hosts it is the named one, or the first.
 * @throws AlError `unknown-agent`, `not-placed-there` (user), or what is wrong with the project.
 */
export async function placeOfAgent(
  context: CliContext,
  agent: string,
  { dev, host }: { readonly dev: boolean; readonly host?: string | undefined },
): Promise<RuntimePlace> {
  if (dev) return devPlace(context);
  const { fleet, config } = await openProject(context);
  const placed = fleet.hosts.filter(({ spec }) => hasAgent(spec, agent));
  const chosen = placed.find(({ spec }) => host === undefined || spec.host === host);
  if (chosen) return { project: fleet.project, address: chosen.address };
  const known = config.agents.map(({ name }) => name);
  if (!known.includes(agent)) throw unknownAgent(agent, known);
  throw notPlacedThere({ agent, host }, placed);
}

/** Runs `work` with a live runtime. @throws AlError as {@link liveRuntime}, or those of the connection. */
export async function withRuntime<T>(
  place: RuntimePlace,
  adapters: Adapters,
  work: (live: LiveRuntime) => Promise<T>,
): Promise<T> {
  return withHost(place, adapters, (found) => work(liveRuntime(found)));
}

/** Runs `work` with a host, whatever is or is not live there. @throws AlError those of the connection. */
export async function withHost<T>(
  { project, address }: RuntimePlace,
  adapters: Adapters,
  work: (place: ObservedPlace) => Promise<T>,
): Promise<T> {
  const connection = await adapters.connect(address);
  try {
    const observed = await connection.observe(project, { signal: adapters.signal });
    return await work({ connection, observed });
  } finally {
    await connection.close();
  }
}

/** The host's live runtime. @throws AlError `not-deployed`, `host-stopped` (user). */
export function liveRuntime({ connection, observed }: ObservedPlace): LiveRuntime {
  const { host, current, stopped } = observed;
  if (!current) throw notDeployed(host);
  if (stopped) throw hostStopped(host, stopped);
  return { connection, observed, runtime: current.runtime };
}

/** True when the host's release has the agent. */
export function hasAgent(spec: HostSpec, agent: string): boolean {
  return agentsOf(spec).includes(agent);
}

/** The error for an agent that is not on the host, or on none of the hosts, that were asked for. */
export function notPlacedThere(
  { agent, host }: { readonly agent: string; readonly host?: string | undefined },
  placed: FleetSpec["hosts"],
): AlError {
  const where = host === undefined ? "any of the hosts that were asked for" : `host ${host}`;
  const names = placed.map(({ spec }) => spec.host).join(", ");
  return new AlError(`agent ${agent} is not on ${where}`, {
    code: "not-placed-there",
    blame: "user",
    hint: names === "" ? "The fleet places it nowhere: al plan" : `It is on: ${names}`,
  });
}

/** The error for a name that no agent of the project has. */
export function unknownAgent(agent: string, known: readonly string[]): AlError {
  return new AlError(`there is no agent ${agent} in this project`, {
    code: "unknown-agent",
    blame: "user",
    hint: known.length > 0 ? `Agents: ${known.join(", ")}` : "The project has no agents.",
  });
}

function hostStopped(host: string, stopped: Stopped): AlError {
  return new AlError(`host ${host}: ${stoppedText(stopped)}`, {
    code: "host-stopped",
    blame: "user",
    hint: `To start it: al start --host ${host} (of al dev: al start --dev)`,
  });
}

/** The error for a host that was never deployed to, or from which all was withdrawn. */
export function notDeployed(host: string): AlError {
  return new AlError(`host ${host}: nothing is live there yet`, {
    code: "not-deployed",
    blame: "user",
    hint: "Deploy first: al apply",
  });
}
