import type { Approval } from "../../core/approval.ts";
import type { HostResult } from "../../core/pass.ts";
import type { HostSelection } from "../../core/select-hosts.ts";
import { runFleetPass } from "../../reconcile/fleet-pass.ts";
import { askApprovals } from "../ask.ts";
import { type Adapters, compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { openProject, type Project } from "../project.ts";
import { recordOwner } from "../project-owner.ts";
import { outcomeCounts, summaryLines } from "../render/fleet.ts";
import { resultLines, resultRecord } from "../render/results.ts";
import { EVERYTHING, narrowed } from "../selection.ts";
import { watchHosts } from "../watch-hosts.ts";

/** `al apply`: brings every host to the commit, once. On a terminal it asks for approvals first. */
export async function apply(
  context: CliContext,
  selection: HostSelection = EVERYTHING,
): Promise<number> {
  const { output } = context;
  const project = narrowed(await openProject(context), selection, output);
  const { grants } = project;
  if (grants === "given") await recordOwner(context, project.fleet.project);
  const adapters = compose(context, project.fleet.project, { grants });
  try {
    for (const warning of project.warnings) output.progress(`warning: ${warning}`);
    let results = await applyOnce(context, project, adapters);
    for (let waiting = approvalsIn(results); waiting.length > 0; waiting = approvalsIn(results)) {
      const approved = context.interactive && (await askApprovals(waiting, adapters.store));
      if (!approved) break;
      results = await applyOnce(context, project, adapters);
    }
    for (const line of results.flatMap(resultLines)) output.line(line);
    for (const line of summaryLines(results)) output.line(line);
    const { project: name, revision } = project.fleet;
    const hosts = results.map(resultRecord);
    const outcomes = outcomeCounts(results);
    output.record({ kind: "summary", project: name, revision, hosts, outcomes });
    return exitCodeOf(results, "apply");
  } finally {
    adapters.close();
  }
}

async function applyOnce(
  { output, signal }: CliContext,
  { fleet, remote }: Project,
  { deps }: Adapters,
): Promise<readonly HostResult[]> {
  const hosts = fleet.hosts.map(({ spec }) => spec.host);
  const watch = watchHosts(output, hosts, "apply");
  try {
    const input = { fleet, remote, mode: "apply" } as const;
    return await runFleetPass(input, deps, { ...watch, signal });
  } finally {
    watch.end();
  }
}

function approvalsIn(results: readonly HostResult[]): readonly Approval[] {
  return results.flatMap((result) => (result.kind === "approval-needed" ? result.approvals : []));
}
