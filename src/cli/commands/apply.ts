import type { Approval } from "../../core/approval.ts";
import type { HostResult } from "../../core/pass.ts";
import { runFleetPass } from "../../reconcile/fleet-pass.ts";
import { askApprovals } from "../ask.ts";
import { type Adapters, compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { openProject, type Project } from "../project.ts";
import { recordOwner } from "../project-owner.ts";
import { eventLine, resultLines, resultRecord } from "../render/results.ts";

/** `al apply`: brings every host to the commit, once. On a terminal it asks for approvals first. */
export async function apply(context: CliContext): Promise<number> {
  const { output } = context;
  const project = await openProject(context);
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
    const { project: name, revision } = project.fleet;
    const hosts = results.map(resultRecord);
    output.record({ kind: "summary", project: name, revision, hosts });
    return exitCodeOf(results, "apply");
  } finally {
    adapters.close();
  }
}

function applyOnce(
  { output, signal }: CliContext,
  { fleet, remote }: Project,
  { deps }: Adapters,
): Promise<readonly HostResult[]> {
  const input = { fleet, remote, mode: "apply" } as const;
  return runFleetPass(input, deps, {
    signal,
    onEvent: (event) => {
      output.record(event);
      const line = eventLine(event);
      if (line !== undefined) output.progress(line);
    },
  });
}

function approvalsIn(results: readonly HostResult[]): readonly Approval[] {
  return results.flatMap((result) => (result.kind === "approval-needed" ? result.approvals : []));
}
