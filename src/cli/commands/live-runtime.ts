import { AlError } from "../../base/errors.ts";
import type { HostAddress } from "../../core/desired.ts";
import type { ObservedHost } from "../../core/observed.ts";
import type { HostConnection } from "../../host/session.ts";
import type { Adapters } from "../compose.ts";
import type { Project } from "../project.ts";

/** A host whose live runtime can be asked. */
export interface LiveRuntime {
  readonly connection: HostConnection;
  readonly observed: ObservedHost;
  /** Name of the live runtime container. */
  readonly runtime: string;
}

/**
 * Runs `work` with the runtime of the host an agent is placed on.
 * @throws AlError `unknown-agent`, `not-deployed`, or those of the connection.
 */
export async function withAgentRuntime<T>(
  { fleet, config }: Project,
  adapters: Adapters,
  agent: string,
  work: (live: LiveRuntime) => Promise<T>,
): Promise<T> {
  const placed = fleet.hosts.find(({ spec }) =>
    spec.release.files.some(({ path }) => path === `agents/${agent}/agent.json`),
  );
  if (!placed)
    throw unknownAgent(
      agent,
      config.agents.map(({ name }) => name),
    );
  const connection = await adapters.connect(placed.address);
  try {
    const observed = await connection.observe(fleet.project);
    const runtime = observed.current?.runtime;
    if (runtime === undefined) throw notDeployed(placed.address);
    return await work({ connection, observed, runtime });
  } finally {
    await connection.close();
  }
}

function unknownAgent(agent: string, known: readonly string[]): AlError {
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
