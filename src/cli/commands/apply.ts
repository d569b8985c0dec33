import type { Approval } from "../../core/approval.ts";
import type { DriftPolicy } from "../../core/drift.ts";
import type { HostResult } from "../../core/pass.ts";
import type { HostSelection } from "../../core/select-hosts.ts";
import { runFleetPass } from "../../reconcile/fleet-pass.ts";
import { askApprovals } from "../ask.ts";
import { type Adapters, compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { openProject } from "../project.ts";
import { recordOwner } from "../project-owner.ts";
import { outcomeCounts, summaryLines } from "../render/fleet.ts";
import { resultLines, resultRecord } from "../render/results.ts";
import { EVERYTHING, type Narrowed, narrowed } from "../selection.ts";
import { watchHosts } from "../watch-hosts.ts";

/** What `al apply` may be told. */
export interface ApplyFlags {
  /** Consent to what this commit removes. */
  readonly prune?: boolean | undefined;
  /** Mend drift even where it is only reported. */
  readonly heal?: boolean | undefined;
}

/** The same, and which hosts it is about. */
export interface ApplyOptions extends ApplyFlags {
  readonly selection?: HostSelection;
}

/** `al apply`: brings every host to the commit, once. On a terminal it asks for approvals first. */
export async function apply(
  context: CliContext,
  { selection = EVERYTHING, prune = false, heal = false }: ApplyOptions = {},
): Promise<number> {
  const { output } = context;
  const project = narrowed(await openProject(context), selection, output);
  const { grants } = project;
  if (grants === "given") await recordOwner(context, project.fleet.project);
  const adapters = compose(context, project.fleet.project, { grants });
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
  { fleet, whole, only, remote }: Narrowed,
  { deps }: Adapters,
  drift: DriftPolicy | undefined,
): Promise<readonly HostResult[]> {
  const hosts = fleet.hosts.map(({ spec }) => spec.host);
  const watch = watchHosts(output, hosts, "apply");
  try {
    const input = { fleet: whole, only, remote, mode: "apply", drift } as const;
    return await runFleetPass(input, deps, { ...watch, signal, certain: true });
  } finally {
    watch.end();
  }
}

function approvalsIn(results: readonly HostResult[]): readonly Approval[] {
  return results.flatMap((result) => (result.kind === "approval-needed" ? result.approvals : []));
}
