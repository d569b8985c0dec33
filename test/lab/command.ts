import { spawn } from "node:child_process";
import { AlError } from "../../src/base/errors.ts";
import { environment } from "./environment.ts";

/** What a finished program left behind. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How {@link runCommand} runs a program. */
export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default 10 minutes; then SIGKILL. */
  readonly timeoutMs?: number;
}

/** Runs a program on this machine to its end; a non-zero code is a result, not an error. */
export function runCommand(
  argv: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [program, ...args] = argv;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...environment, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 600_000,
    killSignal: "SIGKILL",
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, ...output }));
  });
}

/**
 * Like {@link runCommand}, for programs that must succeed.
 * @throws AlError `lab-command-failed` with the end of what it printed.
 */
export async function mustRun(
  argv: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<string> {
  const result = await runCommand(argv, options);
  if (result.code === 0) return result.stdout;
  throw new AlError(
    `${argv.join(" ")} ended with ${result.code}:\n${tail(result.stdout + result.stderr)}`,
    { code: "lab-command-failed", blame: "user" },
  );
}

/** The last lines of a text, for an error message. */
export function tail(text: string, lines = 15): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}
