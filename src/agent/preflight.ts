import { assertNever } from "../base/assert-never.ts";
import { withDeadline } from "../base/deadline.ts";
import { AlError, toAlError } from "../base/errors.ts";
import type { PreflightStep } from "../core/preflight-step.ts";
import type { Environment } from "./environment.ts";
import { cloneRepository } from "./preflight-git.ts";
import { fetchToFile } from "./preflight-http.ts";
import { runShell } from "./preflight-shell.ts";
import { quote, type RunLog } from "./run-log.ts";
import type { Stop } from "./stop.ts";

/** What preflight steps work with. */
export interface PreflightSurroundings {
  /** Working directory; nothing is written outside it. */
  readonly tmp: string;
  readonly env: Pick<Environment, "get">;
  readonly log: RunLog;
  /** Ends the step that is going on, and leaves out the rest. */
  readonly stop: Stop;
}

/** What one step gets besides its parameters. */
export interface StepContext extends Pick<PreflightSurroundings, "tmp" | "env" | "log"> {
  readonly signal: AbortSignal;
}

const DEADLINES_MS = { shell: 600_000, "git-clone": 600_000, http: 120_000 } as const;

/**
 * Runs an agent's preflight steps in order. A step that fails and is not required is logged and
 * left behind. Returns early when the run is stopped.
 * @throws AlError `preflight-failed` (user) for a required step, saying which and why.
 */
export async function runPreflight(
  steps: readonly PreflightStep[],
  { stop, ...surroundings }: PreflightSurroundings,
): Promise<void> {
  const { log } = surroundings;
  for (const [index, step] of steps.entries()) {
    if (stop.stopped) return;
    const { provider } = step;
    const name = `preflight step ${index + 1} (${provider})`;
    const started = performance.now();
    try {
      const deadline = { signal: stop.signal, timeoutMs: DEADLINES_MS[provider] };
      await withDeadline(provider, deadline, (signal) =>
        runStep(step, { ...surroundings, signal }),
      );
      const ms = Math.round(performance.now() - started);
      log.log("info", "preflight step done", { step: index + 1, provider, ms });
    } catch (thrown) {
      if (stop.stopped) return;
      const { message, hint } = toAlError(thrown);
      const error = `${name} failed: ${quote(message)}`;
      if (step.required) throw failure(error, { hint, cause: thrown });
      log.log("warn", "going on without a preflight step", { error, ...(hint ? { hint } : {}) });
    }
  }
}

function runStep(step: PreflightStep, context: StepContext): Promise<void> {
  switch (step.provider) {
    case "shell":
      return runShell(step.params, context);
    case "http":
      return fetchToFile(step.params, context);
    case "git-clone":
      return cloneRepository(step.params, context);
    default:
      return assertNever(step);
  }
}

function failure(message: string, { hint, cause }: { hint: string | undefined; cause: unknown }) {
  return new AlError(message, {
    code: "preflight-failed",
    blame: "user",
    hint: hint ?? "Mend the step in agent-config.toml, or set `required = false` there.",
    cause,
  });
}
