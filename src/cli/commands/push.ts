import { settleBounded } from "../../base/concurrency.ts";
import { AlError, toAlError } from "../../base/errors.ts";
import type { FleetSpec } from "../../core/desired.ts";
import { type PushResult, runPush } from "../../reconcile/push.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { openProject } from "../project.ts";
import { pushLines, pushRecord } from "../render/push.ts";
import { eventLine } from "../render/results.ts";

/** What `al push` is told. */
export interface PushArguments {
  /** Names of hosts; all of them when empty. */
  readonly hosts: readonly string[];
  readonly dryRun: boolean;
}

/** `al push`: delivers credentials to what is live on the hosts, and changes nothing else there. */
export async function push(
  context: CliContext,
  { hosts: names, dryRun }: PushArguments,
): Promise<number> {
  const { output, signal } = context;
  const { fleet, remote } = await openProject(context);
  const hosts = chosenHosts(fleet, names);
  const mode = dryRun ? "plan" : "apply";
  const adapters = compose(context, fleet.project, { store: dryRun ? "read" : "write" });
  try {
    const { parallelHosts, confirmTimeoutMs } = fleet.rollout;
    const settled = await settleBounded(hosts, parallelHosts, ({ address, spec }) => {
      const input = { address, spec, remote, mode, confirmTimeoutMs } as const;
      return runPush(input, adapters.deps, {
        signal,
        onEvent: (event) => {
          if (!dryRun) output.record(event);
          const line = eventLine(event);
          if (line !== undefined) output.progress(line);
        },
      });
    });
    const results = settled.map((end, index): PushResult => {
      if (end.status === "fulfilled") return end.value;
      const host = hosts[index]?.spec.host ?? "";
      const error = toAlError(end.reason);
      return { result: { kind: "failed", host, error, aftermath: "unrestored" }, changes: [] };
    });
    for (const line of results.flatMap(pushLines)) output.line(line);
    output.record({ kind: "push", project: fleet.project, hosts: results.map(pushRecord) });
    return exitCodeOf(
      results.map(({ result }) => result),
      mode,
    );
  } finally {
    adapters.close();
  }
}

function chosenHosts({ hosts }: FleetSpec, names: readonly string[]): FleetSpec["hosts"] {
  const known = hosts.map(({ spec }) => spec.host);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new AlError(`there is no host ${unknown.join(", ")} in this fleet`, {
      code: "unknown-host",
      blame: "user",
      hint: `Hosts: ${known.join(", ")}`,
    });
  }
  return names.length === 0 ? hosts : hosts.filter(({ spec }) => names.includes(spec.host));
}
