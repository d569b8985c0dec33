import { resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { toAlError } from "../base/errors.ts";
import type { ApplyFlags } from "./commands/apply.ts";
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
import { packageVersion } from "./version.ts";

/** Options that every command takes, before or after its name. */
interface Common {
  readonly project?: string;
  readonly json?: boolean;
}

/** Runs `al` with these arguments; returns the exit code and never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  let json = false;
  const run: Run = async (command, work) => {
    const common = command.optsWithGlobals<Common>();
    json = common.json ?? false;
    exitCode = await work(contextFor(command, common));
  };
  try {
    await createProgram(run).parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (thrown) {
    // Commander has printed its own message; `--help` is not a failure.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.error;
    createOutput(json, { out: process.stdout, err: process.stderr }).fail(toAlError(thrown));
    return EXIT.error;
  }
}

/** Carries out a command that commander has recognised. */
type Run = (command: Command, work: (context: CliContext) => Promise<number>) => Promise<void>;

function createProgram(run: Run): Command {
  const program = withCommon(new Command("al"))
    .description("GitOps for fleets of LLM agents: a commit becomes what runs on your hosts.")
    .version(packageVersion(), "--version")
    .exitOverride()
    .showHelpAfterError("(add --help for what it takes)")
    .addHelpText(
      "after",
      "\nExit codes: 0 done or nothing to do, 1 error, 2 changes pending (plan, approve).",
    );
  addReconcileCommands(program, run);
  addControllerCommands(program, run);
  addHostCommands(program, run);
  addRunCommands(program, run);
  return program;
}

function withCommon(command: Command): Command {
  return command
    .option("-p, --project <dir>", "the project: a git checkout or a bare repository (default: .)")
    .option("--json", "one JSON object a line instead of text");
}

function subcommand(parent: Command, name: string, description: string): Command {
  return withCommon(parent.command(name)).description(description);
}

function addReconcileCommands(program: Command, run: Run): void {
  subcommand(program, "plan", "show what an apply would do, and why; touches nothing").action(
    async (_options, command: Command) => {
      const { plan } = await import("./commands/plan.ts");
      await run(command, plan);
    },
  );
  subcommand(program, "apply", "bring every host to the project's commit, once")
    .option("--prune", "consent to what exactly this commit removes, also in mass", false)
    .option("--heal", 'mend changes on hosts also where drift = "report"', false)
    .action(async (flags: ApplyFlags, command: Command) => {
      const { apply } = await import("./commands/apply.ts");
      await run(command, (context) => apply(context, flags));
    });
  subcommand(program, "approve", "say yes to a host's key, a credential's grant or a prune")
    .argument("[words...]", "host NAME FINGERPRINT | grant CREDENTIAL AGENT HOST | prune COMMIT")
    .addHelpText("after", "\nWithout words it asks about all that waits, or lists it.")
    .action(async (words: string[], _options, command: Command) => {
      const { approve } = await import("./commands/approve.ts");
      await run(command, (context) => approve(context, words));
    });
  subcommand(program, "status", "every host as it is now, its agents and its latest runs").action(
    async (_options, command: Command) => {
      const { status } = await import("./commands/status.ts");
      await run(command, status);
    },
  );
}

interface ControllerFlags {
  readonly source?: string;
  readonly branch: string;
  readonly interval: number;
}

function addControllerCommands(program: Command, run: Run): void {
  const description = "follow a branch and keep the fleet at its newest good commit";
  const controller: Command = subcommand(program, "controller", description)
    .option("--source <url>", "repository to follow: a path, https:// or ssh://")
    .option("--branch <name>", "branch to follow", "main")
    .option("--interval <seconds>", "poll and look for drift at least this often", wholeNumber, 60)
    .action(async ({ source, branch, interval }: ControllerFlags, command: Command) => {
      // Not a required option to commander, which would ask `init-repo` for it too.
      if (source === undefined) controller.error("error: --source <url> says what to follow");
      const { controller: follow } = await import("./commands/controller.ts");
      await run(command, (context) =>
        follow(context, { source, branch, intervalSeconds: interval }),
      );
    });
  subcommand(controller, "init-repo", "make a bare repository whose pushes wake the controller")
    .argument("<dir>")
    .action(async (directory: string, _options, command: Command) => {
      const { initRepo } = await import("./commands/init-repo.ts");
      await run(command, (context) => initRepo(context, resolve(directory)));
    });
}

function addHostCommands(program: Command, run: Run): void {
  const host = program.command("host").description("hosts of the fleet");
  subcommand(host, "forget", "give up a host that left fleet.toml; prints what stays there")
    .argument("<name>")
    .action(async (name: string, _options, command: Command) => {
      const { hostForget } = await import("./commands/host-forget.ts");
      await run(command, (context) => hostForget(context, name));
    });
}

interface RunFlags {
  readonly follow: boolean;
}

interface LogFlags extends RunFlags {
  readonly lines?: number;
}

function addRunCommands(program: Command, run: Run): void {
  subcommand(program, "run", "trigger an agent by hand")
    .argument("<agent>")
    .option("-f, --follow", "show its log, and exit by its outcome", false)
    .action(async (agent: string, { follow }: RunFlags, command: Command) => {
      const { run: trigger } = await import("./commands/run.ts");
      await run(command, (context) => trigger(context, agent, { follow }));
    });
  subcommand(program, "logs", "show the log of a run, by default the latest")
    .argument("<agent>")
    .argument("[run]", "a run's id")
    .option("-f, --follow", "go on until the run ends", false)
    .option("-n, --lines <count>", "only the last lines", wholeNumber)
    .action(async (agent: string, id: string | undefined, flags: LogFlags, command: Command) => {
      const { logs } = await import("./commands/logs.ts");
      const { follow, lines } = flags;
      await run(command, (context) => logs(context, { agent, run: id, follow, lines }));
    });
}

function contextFor(command: Command, { project = ".", json = false }: Common): CliContext {
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
    holder: holderName(command.name()),
  };
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number above 0.");
}
