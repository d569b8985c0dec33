import type { Approval } from "../../core/approval.ts";
import type { DriftPolicy } from "../../core/drift.ts";
import type { HostResult } from "../../core/pass.ts";
import { runFleetPass } from "../../reconcile/fleet-pass.ts";
import { askApprovals } from "../ask.ts";
import { type Adapters, compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { openProject, type Project } from "../project.ts";
import { eventLine, resultLines, resultRecord } from "../render/results.ts";

/** What `al apply` may be told. */
export interface ApplyFlags {
  /** Consent to what this commit removes. */
  readonly prune?: boolean;
  /** Mend drift even where it is only reported. */
  readonly heal?: boolean;
}

/** `al apply`: brings every host to the commit, once. On a terminal it asks for approvals first. */
export async function apply(
  context: CliContext,
  { prune = false, heal = false }: ApplyFlags = {},
): Promise<number> {
  const { output } = context;
  const project = await openProject(context);
  const adapters = compose(context, project.fleet.project);
  try {
    for (const warning of project.warnings) output.progress(`warning: ${warning}`);
    if (prune) adapters.store.consentToPrune(project.fleet.revision, Date.now());
    const drift = heal ? "heal" : undefined;
    const once = () => applyOnce(context, project, adapters, drift);
    let results = await once();
    for (let waiting = approvalsIn(results); waiting.length > 0; waiting = approvalsIn(results)) {
      const approved = context.interactive && (await askApprovals(waiting, adapters.store));
      if (!approved) break;
      results = await once();
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
  drift: DriftPolicy | undefined,
): Promise<readonly HostResult[]> {
  const input = { fleet, remote, mode: "apply", drift } as const;
  return runFleetPass(input, deps, {
    signal,
    certain: true,
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
