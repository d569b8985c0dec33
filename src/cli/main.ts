import { resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { toAlError } from "../base/errors.ts";
import {
  actionLlamaHome,
  type CliContext,
  type Environment,
  gitVariables,
  holderName,
  interruptSignal,
  localDockerSocket,
} from "./context.ts";
import { EXIT } from "./exit.ts";
import { createOutput } from "./render/output.ts";

type Globals = { readonly project: string; readonly json: boolean };

/** Runs `al` with these arguments; returns the exit code and never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (thrown) {
    // Commander has printed its own message; `--help` is not a failure.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.error;
    const { json } = program.opts<Globals>();
    createOutput(json, { out: process.stdout, err: process.stderr }).fail(toAlError(thrown));
    return EXIT.error;
  }
}

function createProgram(end: (exitCode: number) => void): Command {
  const program = new Command("al")
    .description("GitOps for fleets of LLM agents: a commit becomes what runs on your hosts.")
    .option("-p, --project <dir>", "the project: a git checkout or a bare repository", ".")
    .option("--json", "one JSON object a line instead of text", false)
    .exitOverride()
    .showHelpAfterError("(add --help for what it takes)")
    .addHelpText(
      "after",
      "\nExit codes: 0 done or nothing to do, 1 error, 2 changes pending (plan).",
    );
  const run = (name: string, work: (context: CliContext) => Promise<number>) =>
    work(contextFor(name, program.opts<Globals>())).then(end);
  addReconcileCommands(program, run);
  addControllerCommands(program, run);
  addRunCommands(program, run);
  return program;
}

type Run = (name: string, work: (context: CliContext) => Promise<number>) => Promise<void>;

function addReconcileCommands(program: Command, run: Run): void {
  program
    .command("plan")
    .description("show what an apply would do, and why; touches nothing")
    .action(() =>
      run("plan", async (context) => (await import("./commands/plan.ts")).plan(context)),
    );
  program
    .command("apply")
    .description("bring every host to the project's commit, once")
    .action(() =>
      run("apply", async (context) => (await import("./commands/apply.ts")).apply(context)),
    );
  program
    .command("approve")
    .description(
      "say yes to a host's key or to a credential's grant; without words, to all that waits",
    )
    .argument("[words...]", "host NAME FINGERPRINT | grant CREDENTIAL AGENT HOST")
    .action((words: string[]) =>
      run("approve", async (context) =>
        (await import("./commands/approve.ts")).approve(context, words),
      ),
    );
  program
    .command("status")
    .description("every host as it is now, its agents and its latest runs")
    .action(() =>
      run("status", async (context) => (await import("./commands/status.ts")).status(context)),
    );
}

interface ControllerFlags {
  readonly source?: string;
  readonly branch: string;
  readonly interval: number;
}

function addControllerCommands(program: Command, run: Run): void {
  const controller: Command = program
    .command("controller")
    .description("follow a branch and keep the fleet at its newest good commit")
    .option("--source <url>", "repository to follow: a path, https:// or ssh://")
    .option("--branch <name>", "branch to follow", "main")
    .option("--interval <seconds>", "poll and look for drift at least this often", wholeNumber, 60)
    .action(({ source, branch, interval }: ControllerFlags) => {
      // Not a required option to commander, which would ask `init-repo` for it too.
      if (source === undefined) controller.error("error: --source <url> says what to follow");
      return run("controller", async (context) => {
        const command = await import("./commands/controller.ts");
        return command.controller(context, { source, branch, intervalSeconds: interval });
      });
    });
  controller
    .command("init-repo <dir>")
    .description("make a bare repository whose pushes wake the controller at once")
    .action((dir: string) =>
      run("controller init-repo", async (context) =>
        (await import("./commands/init-repo.ts")).initRepo(context, resolve(dir)),
      ),
    );
}

function addRunCommands(program: Command, run: Run): void {
  program
    .command("run <agent>")
    .description("trigger an agent by hand")
    .option("-f, --follow", "show its log, and exit by its outcome", false)
    .action((agent: string, options: { follow: boolean }) =>
      run("run", async (context) =>
        (await import("./commands/run.ts")).run(context, agent, options),
      ),
    );
  program
    .command("logs <agent> [run]")
    .description("show the log of a run, by default the latest")
    .option("-f, --follow", "go on until the run ends", false)
    .option("-n, --lines <count>", "only the last lines", wholeNumber)
    .action((agent: string, id: string | undefined, options: { follow: boolean; lines?: number }) =>
      run("logs", async (context) =>
        (await import("./commands/logs.ts")).logs(context, { agent, run: id, ...options }),
      ),
    );
}

function contextFor(command: string, { project, json }: Globals): CliContext {
  // biome-ignore lint/style/noProcessEnv: the one place where the environment is read
  const environment: Environment = process.env;
  return {
    home: actionLlamaHome(),
    project: resolve(project),
    output: createOutput(json, { out: process.stdout, err: process.stderr }),
    interactive: !json && process.stdin.isTTY === true && process.stdout.isTTY === true,
    dockerSocket: localDockerSocket(environment),
    gitVariables: gitVariables(environment),
    signal: interruptSignal(),
    holder: holderName(command),
  };
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number above 0.");
}
