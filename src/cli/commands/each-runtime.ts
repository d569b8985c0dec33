import { settleBounded } from "../../base/concurrency.ts";
import { type AlError, toAlError } from "../../base/errors.ts";
import type { HostAddress } from "../../core/desired.ts";
import type { HostSelection } from "../../core/select-hosts.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { devPlace } from "../dev-place.ts";
import { EXIT } from "../exit.ts";
import { openProject } from "../project.ts";
import { errorRecord, errorText } from "../render/output.ts";
import { narrowed } from "../selection.ts";
import { hasAgent, type LiveRuntime, unknownAgent, withRuntime } from "./live-runtime.ts";

/** Which runtimes a command is about. */
export interface RuntimeSelection {
  /** That of `al dev` on this machine, instead of the fleet's. */
  readonly dev: boolean;
  readonly selection: HostSelection;
  /** Only hosts that have this agent. */
  readonly agent?: string | undefined;
}

/** What one host's runtime answered, or why it did not. */
export type HostAnswer<T> =
  | { readonly kind: "answered"; readonly host: string; readonly answer: T }
  | { readonly kind: "failed"; readonly host: string; readonly error: AlError };

/**
 * Asks the live runtime of every selected host, at the same time; sorted as in fleet.toml. `ask` is told
 * how many are asked.
 * @throws AlError `unknown-agent`, or what is wrong with the project.
 */
export async function askRuntimes<T>(
  context: CliContext,
  selection: RuntimeSelection,
  ask: (live: LiveRuntime, asked: { readonly hosts: number }) => Promise<T>,
): Promise<readonly HostAnswer<T>[]> {
  const { project, addresses, parallel } = await placesOf(context, selection);
  const adapters = compose(context, project, { store: "read" });
  try {
    const settled = await settleBounded(addresses, parallel, (address) =>
      withRuntime({ project, address }, adapters, (live) => ask(live, { hosts: addresses.length })),
    );
    return settled.map((result, index): HostAnswer<T> => {
      const host = addresses[index]?.host ?? "";
      if (result.status === "fulfilled") return { kind: "answered", host, answer: result.value };
      return { kind: "failed", host, error: toAlError(result.reason) };
    });
  } finally {
    adapters.close();
  }
}

interface Places {
  readonly project: string;
  readonly addresses: readonly HostAddress[];
  readonly parallel: number;
}

async function placesOf(
  context: CliContext,
  { dev, selection, agent }: RuntimeSelection,
): Promise<Places> {
  if (dev) {
    const { project, address } = await devPlace(context);
    return { project, addresses: [address], parallel: 1 };
  }
  const project = await openProject(context);
  const { fleet } = narrowed(project, selection, context.output);
  const known = project.config.agents.map(({ name }) => name);
  if (agent !== undefined && !known.includes(agent)) throw unknownAgent(agent, known);
  const having = fleet.hosts.filter(({ spec }) => agent === undefined || hasAgent(spec, agent));
  return {
    project: fleet.project,
    addresses: having.map(({ address }) => address),
    parallel: fleet.rollout.parallelHosts,
  };
}

/**
 * Says which hosts did not answer; the exit code for that.
 * @throws AlError what went wrong, where only one host was asked.
 */
export function reportFailures(
  { output }: CliContext,
  answers: readonly HostAnswer<unknown>[],
): number {
  const failed = answers.filter((one) => one.kind === "failed");
  if (failed[0] && answers.length === 1) throw failed[0].error;
  for (const { host, error } of failed) {
    output.record({ kind: "host-failed", host, error: errorRecord(error) });
    output.progress(`${host}: ${errorText(error)}`);
  }
  return failed.length === 0 ? EXIT.done : EXIT.error;
}
