import { shortHash } from "../../core/names.ts";
import { runFleetPass } from "../../reconcile/fleet-pass.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { openProject } from "../project.ts";
import { resultLines, resultRecord } from "../render/results.ts";

/** `al plan`: what an apply would do, and why; touches nothing. Exit code 2 when there is something. */
export async function plan(context: CliContext): Promise<number> {
  const { output, signal } = context;
  const { fleet, remote, warnings } = await openProject(context);
  const adapters = compose(context, fleet.project);
  try {
    for (const warning of warnings) output.progress(`warning: ${warning}`);
    output.progress(`plan of ${fleet.project} at commit ${shortHash(fleet.revision)}`);
    const input = { fleet, remote, mode: "plan" } as const;
    const results = await runFleetPass(input, adapters.deps, { signal, certain: true });
    const { project, revision } = fleet;
    output.record({ kind: "plan", project, revision, hosts: results.map(resultRecord) });
    for (const line of results.flatMap(resultLines)) output.line(line);
    return exitCodeOf(results, "plan");
  } finally {
    adapters.close();
  }
}
