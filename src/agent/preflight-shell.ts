import type { PreflightStep } from "../core/preflight-step.ts";
import { placeBelow } from "./place-below.ts";
import type { StepContext } from "./preflight.ts";
import { runProcess } from "./run-process.ts";
import { substitute } from "./substitute.ts";

type Params = Extract<PreflightStep, { provider: "shell" }>["params"];

/**
 * Runs a command with `sh -c`; its output goes into a file below /tmp, else the end of it into the log.
 * `${VAR}` in the command is left to the shell, for which a value is never part of the command.
 */
export async function runShell(params: Params, { tmp, env, log, signal }: StepContext) {
  const output =
    params.output === undefined ? undefined : await placeBelow(tmp, substitute(params.output, env));
  const argv: [string, ...string[]] = ["sh", "-c", params.command];
  const printed = await runProcess({ argv, cwd: tmp, output, signal });
  if (printed !== "") log.print(printed);
}
