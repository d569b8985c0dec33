import { settleBounded } from "../../base/concurrency.ts";
import { toAlError } from "../../base/errors.ts";
import type { HostAddress } from "../../core/desired.ts";
import type { HostSelection } from "../../core/select-hosts.ts";
import { type Adapters, compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { devPlace } from "../dev-place.ts";
import { EXIT } from "../exit.ts";
import { openProject } from "../project.ts";
import { type HostStatus, statusLines, statusRecord } from "../render/status.ts";
import { EVERYTHING, narrowed } from "../selection.ts";
import { askStatus } from "../steering.ts";
import { notDeployed } from "./live-runtime.ts";

/** `al status`: every host as it is now, its agents and its latest runs. */
export async function status(
  context: CliContext,
  { dev, selection = EVERYTHING }: { readonly dev: boolean; readonly selection?: HostSelection },
): Promise<number> {
  const { output } = context;
  if (dev) return devStatus(context);
  const { fleet } = narrowed(await openProject(context), selection, output);
  const adapters = compose(context, fleet.project, { store: "read" });
  try {
    const addresses = fleet.hosts.map(({ address }) => address);
    const settled = await settleBounded(addresses, fleet.rollout.parallelHosts, (address) =>
      hostStatus(context, adapters, { address, project: fleet.project }),
    );
    const statuses = settled.map((result, index): HostStatus => {
      if (result.status === "fulfilled") return result.value;
      const host = addresses[index]?.host ?? "";
      return { kind: "unknown", host, error: toAlError(result.reason) };
    });
    const { project, revision } = fleet;
    output.record({ kind: "status", project, revision, hosts: statuses.map(statusRecord) });
    for (const line of statuses.flatMap((one) => statusLines(one, revision))) output.line(line);
    return statuses.some(({ kind }) => kind === "unknown") ? EXIT.error : EXIT.done;
  } finally {
    adapters.close();
  }
}

/** The working tree has no revision to be behind of: what is live is what is wanted. */
async function devStatus(context: CliContext): Promise<number> {
  const { output } = context;
  const { project, address } = await devPlace(context);
  const adapters = compose(context, project, { store: "read" });
  try {
    const found = await hostStatus(context, adapters, { address, project });
    const revision = found.kind === "unknown" ? "" : (found.observed.current?.revision ?? "");
    output.record({ kind: "status", project, revision, hosts: [statusRecord(found)] });
    for (const line of statusLines(found, revision)) output.line(line);
    return found.kind === "unknown" ? EXIT.error : EXIT.done;
  } finally {
    adapters.close();
  }
}

async function hostStatus(
  { signal }: CliContext,
  adapters: Adapters,
  { address, project }: { address: HostAddress; project: string },
): Promise<HostStatus> {
  const { host } = address;
  const connection = await adapters.connect(address);
  try {
    const observed = await connection.observe(project, { signal });
    const { current, stopped } = observed;
    if (!current) return { kind: "unknown", host, error: notDeployed(host) };
    if (stopped) return { kind: "stopped", host, observed, stopped };
    const live = await askStatus({ connection, runtime: current.runtime }, signal);
    return { kind: "live", host, observed, live };
  } finally {
    await connection.close();
  }
}
