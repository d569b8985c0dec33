import { AlError } from "../base/errors.ts";
import type { Run } from "../core/run.ts";
import type { RunsPort } from "./ports.ts";

/** A run by its id. @throws AlError `unknown-run` (user). */
export async function knownRun(runs: RunsPort, id: string): Promise<Run> {
  const run = await runs.get(id);
  if (run) return run;
  throw new AlError(`there is no run ${id}`, { code: "unknown-run", blame: "user" });
}

/** The named run of an agent, or its latest one. @throws AlError `unknown-run`, `no-runs` (user). */
export async function runOf(runs: RunsPort, agent: string, id?: string): Promise<Run> {
  if (id !== undefined) {
    const run = await knownRun(runs, id);
    if (run.agent === agent) return run;
    const message = `run ${id} is not a run of agent ${agent}`;
    throw new AlError(message, { code: "unknown-run", blame: "user" });
  }
  const [latest] = await runs.list({ agent, limit: 1 });
  if (latest) return latest;
  throw new AlError(`agent ${agent} has not run yet`, { code: "no-runs", blame: "user" });
}
