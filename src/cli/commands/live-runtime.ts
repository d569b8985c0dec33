import { AlError } from "../../base/errors.ts";
import type { FleetSpec, HostAddress, HostSpec } from "../../core/desired.ts";
import type { ObservedHost } from "../../core/observed.ts";
import type { HostConnection } from "../../host/session.ts";
import type { Adapters } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { devPlace } from "../dev-place.ts";
import { openProject } from "../project.ts";

/** A host whose live runtime can be asked. */
export interface LiveRuntime {
  readonly connection: HostConnection;
  readonly observed: ObservedHost;
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
  if (placed.length > 0) throw notPlacedThere({ agent, host }, placed);
  const known = config.agents.map(({ name }) => name);
  throw unknownAgent(agent, known);
}

/** Runs `work` with a live runtime. @throws AlError `not-deployed`, or those of the connection. */
export async function withRuntime<T>(
  { project, address }: RuntimePlace,
  adapters: Adapters,
  work: (live: LiveRuntime) => Promise<T>,
): Promise<T> {
  const connection = await adapters.connect(address);
  try {
    const observed = await connection.observe(project);
    const runtime = observed.current?.runtime;
    if (runtime === undefined) throw notDeployed(address);
    return await work({ connection, observed, runtime });
  } finally {
    await connection.close();
  }
}

/** True when the host's release has the agent. */
export function hasAgent({ release }: HostSpec, agent: string): boolean {
  return release.files.some(({ path }) => path === `agents/${agent}/agent.json`);
}

function notPlacedThere(
  { agent, host }: { agent: string; host: string | undefined },
  placed: FleetSpec["hosts"],
): AlError {
  return new AlError(`agent ${agent} is not on a host ${host}`, {
    code: "not-placed-there",
    blame: "user",
    hint: `It is on: ${placed.map(({ spec }) => spec.host).join(", ")}`,
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

function notDeployed({ host }: HostAddress): AlError {
  return new AlError(`host ${host}: nothing is live there yet`, {
    code: "not-deployed",
    blame: "user",
    hint: "Deploy first: al apply",
  });
}
