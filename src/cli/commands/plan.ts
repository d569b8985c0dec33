import { shortHash } from "../../core/names.ts";
import type { HostSelection } from "../../core/select-hosts.ts";
import { runFleetPass } from "../../reconcile/fleet-pass.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { openProject } from "../project.ts";
import { outcomeCounts, placementLines, summaryLines } from "../render/fleet.ts";
import { resultLines, resultRecord } from "../render/results.ts";
import { EVERYTHING, narrowed } from "../selection.ts";
import { watchHosts } from "../watch-hosts.ts";

/** `al plan`: what an apply would do, and why; touches nothing. Exit code 2 when there is something. */
export async function plan(
  context: CliContext,
  selection: HostSelection = EVERYTHING,
): Promise<number> {
  const { output, signal } = context;
  const project = await openProject(context);
  const { fleet, whole, only, remote, warnings, grants } = narrowed(project, selection, output);
  const adapters = compose(context, fleet.project, { grants, store: "read" });
  try {
    for (const warning of warnings) output.progress(`warning: ${warning}`);
    output.progress(`plan of ${fleet.project} at commit ${shortHash(fleet.revision)}`);
    const input = { fleet: whole, only, remote, mode: "plan" } as const;
    const watched = fleet.hosts.map(({ spec }) => spec.host);
    const watch = watchHosts(output, watched, "plan");
    const options = { ...watch, signal };
    const results = await runFleetPass(input, adapters.deps, options).finally(watch.end);
    const { project: name, revision, placements } = fleet;
    const hosts = results.map(resultRecord);
    const outcomes = outcomeCounts(results);
    output.record({ kind: "plan", project: name, revision, placements, hosts, outcomes });
    for (const line of placementLines(placements)) output.line(line);
    for (const line of results.flatMap(resultLines)) output.line(line);
    for (const line of summaryLines(results)) output.line(line);
    return exitCodeOf(results, "plan");
  } finally {
    adapters.close();
  }
}
