import { settleBounded } from "../../base/concurrency.ts";
import { type AlError, toAlError } from "../../base/errors.ts";
import type { FleetSpec, HostAddress } from "../../core/desired.ts";
import type { HostSelection } from "../../core/select-hosts.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { devPlace } from "../dev-place.ts";
import { EXIT } from "../exit.ts";
import { type Change, checkSaid } from "../host-choice.ts";
import { openProject } from "../project.ts";
import { errorRecord, errorText } from "../render/output.ts";
import { narrowed } from "../selection.ts";
import {
  hasAgent,
  type LiveRuntime,
  liveRuntime,
  notPlacedThere,
  type ObservedPlace,
  unknownAgent,
  withHost,
} from "./live-runtime.ts";

/** Which runtimes a command is about. */
export interface RuntimeSelection {
  /** That of `al dev` on this machine, instead of the fleet's. */
  readonly dev: boolean;
  readonly selection: HostSelection;
  /** Only hosts that have this agent. */
  readonly agent?: string | undefined;
  /** Set for a command that changes something: it is refused where several hosts could be meant. */
  readonly changes?: Omit<Change, "agent"> | undefined;
}

/** What one host's runtime answered, or why it did not. */
export type HostAnswer<T> =
  | { readonly kind: "answered"; readonly host: string; readonly answer: T }
  | { readonly kind: "failed"; readonly host: string; readonly error: AlError };

/** All hosts that are asked. */
export interface Asked {
  readonly hosts: number;
  readonly project: string;
  /** How long one of them may take until it is ready. */
  readonly confirmTimeoutMs: number;
  /** The commit the project is at; undefined for `al dev`. */
  readonly revision?: string | undefined;
}

/**
 * Asks the live runtime of every selected host, at the same time; sorted as in fleet.toml. `ask` is told
 * how many are asked.
 * @throws AlError `unknown-agent`, `host-unsaid`, or what is wrong with the project.
 */
export async function askRuntimes<T>(
  context: CliContext,
  selection: RuntimeSelection,
  ask: (live: LiveRuntime, asked: Asked) => Promise<T>,
): Promise<readonly HostAnswer<T>[]> {
  return askHosts(context, selection, async (place, asked) => ask(liveRuntime(place), asked));
}

/** The same for hosts whose runtime need not run, or on which nothing is live yet. */
export async function askHosts<T>(
  context: CliContext,
  selection: RuntimeSelection,
  ask: (place: ObservedPlace, asked: Asked) => Promise<T>,
): Promise<readonly HostAnswer<T>[]> {
  const { addresses, parallel, ...asked } = await placesOf(context, selection);
  const { project } = asked;
  const adapters = compose(context, project, { store: "read" });
  try {
    const settled = await settleBounded(addresses, parallel, (address) =>
      withHost({ project, address }, adapters, (place) => ask(place, asked)),
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

interface Places extends Asked {
  readonly addresses: readonly HostAddress[];
  readonly parallel: number;
}

async function placesOf(context: CliContext, of: RuntimeSelection): Promise<Places> {
  const { dev, selection, agent } = of;
  if (dev) {
    const { project, address } = await devPlace(context);
    return { project, addresses: [address], parallel: 1, hosts: 1, confirmTimeoutMs: 90_000 };
  }
  const project = await openProject(context);
  const { fleet } = narrowed(project, selection, context.output);
  const known = project.config.agents.map(({ name }) => name);
  if (agent !== undefined && !known.includes(agent)) throw unknownAgent(agent, known);
  const having = withAgent(fleet, agent);
  if (agent !== undefined && having.length === 0 && of.changes) {
    throw notPlacedThere({ agent }, withAgent(project.fleet, agent));
  }
  if (of.changes)
    checkSaid(
      { ...of.changes, agent },
      having.map(({ spec }) => spec.host),
    );
  return {
    project: fleet.project,
    addresses: having.map(({ address }) => address),
    parallel: fleet.rollout.parallelHosts,
    hosts: having.length,
    confirmTimeoutMs: fleet.rollout.confirmTimeoutMs,
    revision: fleet.revision,
  };
}

type Hosts = FleetSpec["hosts"];

function withAgent({ hosts }: FleetSpec, agent: string | undefined): Hosts {
  return hosts.filter(({ spec }) => agent === undefined || hasAgent(spec, agent));
}

/**
 * Says which hosts did not answer; the exit code for that.
 * @throws AlError what went wrong, where only one host was asked.
 */
export function reportFailures(
  { output }: CliContext,
  answers: readonly HostAnswer<unknown>[],
): number {
  refuseOnlyFailure(answers);
  const failed = answers.filter((one) => one.kind === "failed");
  for (const { host, error } of failed) {
    output.record({ kind: "host-failed", host, error: errorRecord(error) });
    output.progress(`${host}: ${errorText(error)}`);
  }
  return failed.length === 0 ? EXIT.done : EXIT.error;
}

/**
 * The answers of those hosts that answered.
 * @throws AlError what went wrong, where only one host was asked.
 */
export function answered<T>(
  answers: readonly HostAnswer<T>[],
): readonly { readonly host: string; readonly answer: T }[] {
  refuseOnlyFailure(answers);
  return answers.flatMap((one) => (one.kind === "answered" ? [one] : []));
}

function refuseOnlyFailure([only, ...others]: readonly HostAnswer<unknown>[]): void {
  if (only?.kind === "failed" && others.length === 0) throw only.error;
}
