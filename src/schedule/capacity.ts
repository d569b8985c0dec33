import type { ReleasedAgent } from "../core/released.ts";
import type { Run } from "../core/run.ts";
import type { LiveRelease } from "./ports.ts";

/** Runs that hold a place: made or about to be made. */
export function activeRuns(unfinished: readonly Run[], agent?: string): number {
  return unfinished.filter(
    (run) => run.state !== "queued" && (agent === undefined || run.agent === agent),
  ).length;
}

/** Runs of an agent that wait for a place. */
export function queuedRuns(unfinished: readonly Run[], agent: string): number {
  return unfinished.filter((run) => run.state === "queued" && run.agent === agent).length;
}

/** True when one more run of the agent could start at once, ahead of nobody. */
export function hasFreeRunner(
  unfinished: readonly Run[],
  agent: ReleasedAgent,
  release: LiveRelease,
): boolean {
  const ofAgent = unfinished.filter((run) => run.agent === agent.name).length;
  return ofAgent < agent.scale && unfinished.length < (release.project.scale ?? Infinity);
}

/**
 * The oldest queued run whose agent and project have room. An agent at its limit holds up its own
 * queue only.
 */
export function nextStartable(unfinished: readonly Run[], release: LiveRelease): Run | undefined {
  if (activeRuns(unfinished) >= (release.project.scale ?? Infinity)) return undefined;
  return unfinished.find((run) => {
    if (run.state !== "queued") return false;
    const agent = release.agents.get(run.agent);
    return agent !== undefined && activeRuns(unfinished, run.agent) < agent.scale;
  });
}

/** Why a run of this agent can never start under this release; undefined when it can. */
export function whyNever(agent: string, release: LiveRelease): string | undefined {
  const found = release.agents.get(agent);
  if (!found) return `there is no agent ${agent} in the live release`;
  return found.scale === 0 ? `agent ${agent} is disabled (scale = 0)` : undefined;
}
