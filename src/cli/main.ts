import { resolve } from "node:path";
import { Command, CommanderError, Help, type Option } from "commander";
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
  personName,
} from "./context.ts";
import { addCredentialCommands } from "./credential-commands.ts";
import { EXIT } from "./exit.ts";
import { allHosts, DEV, wholeNumber } from "./flags.ts";
import { addHostCommands, addMachineCommands } from "./host-commands.ts";
import { createOutput, type Streams } from "./render/output.ts";
import { addRunCommands } from "./run-commands.ts";
import { oneMoreHost, oneMoreLabel, type SelectionFlags, selectionOf } from "./selection.ts";
import { addSteeringCommands } from "./steering-commands.ts";
import { packageVersion } from "./version.ts";
import { addWebhookCommands } from "./webhook-commands.ts";

/** Options that every command takes, before or after its name. */
interface Common {
  readonly project?: string;
  readonly json?: boolean;
}

/** Runs `al` with these arguments; returns the exit code and never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  let json = false;
  let signal: AbortSignal | undefined;
  const run: Run = async (command, work) => {
    const common = command.optsWithGlobals<Common>();
    json = common.json ?? false;
    const context = contextFor(command, common);
    signal = context.signal;
    exitCode = await work(context);
  };
  try {
    await createProgram(run).parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (thrown) {
    // Commander has printed its own message; `--help` is not a failure.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.error;
    const error = toAlError(thrown);
    // What was going on says only that it was aborted.
    const cause = signal?.aborted && error.blame === "bug" ? toAlError(signal.reason) : error;
    createOutput(json, { out: process.stdout, err: process.stderr }).fail(cause);
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
    .configureHelp({ optionDescription })
    .showHelpAfterError("(add --help for what it takes)")
    .addHelpText(
      "after",
      "\nExit codes: 0 done or nothing to do, 1 error, 2 changes pending (plan, diff, approve, push --dry-run,\nprovision and deprovision without --yes where nobody can be asked).",
    );
  addReconcileCommands(program, run);
  addControllerCommands(program, run);
  addDevCommand(program, run);
  addBuildCommand(program, run);
  addHostCommands(program, { run, subcommand });
  addMachineCommands(program, { run, subcommand });
  addRunCommands(program, { run, subcommand, withSelection });
  addSteeringCommands(program, { run, subcommand, withSelection });
  addWebhookCommands(program, { run, subcommand, withSelection });
  addCredentialCommands(program, { run, subcommand });
  return program;
}

const help = new Help();

/** That a flag is not given by default goes without saying. */
function optionDescription(option: Option): string {
  return option.defaultValue === false ? option.description : help.optionDescription(option);
}

function withCommon(command: Command): Command {
  return command
    .option("-p, --project <dir>", "the project: a git checkout or a bare repository (default: .)")
    .option("--json", "one JSON object a line instead of text");
}

function subcommand(parent: Command, name: string, description: string): Command {
  return withCommon(parent.command(name)).description(description);
}

function withSelection(command: Command): Command {
  return command
    .option("--host <name>", "only this host; repeat it for more", oneMoreHost)
    .option(
      "--label <key=value>",
      "only hosts with this label; repeated: with all of them",
      oneMoreLabel,
    );
}

function addReconcileCommands(program: Command, run: Run): void {
  const planning = "show what an apply would do, and why; touches nothing";
  withSelection(subcommand(program, "plan", planning)).action(
    async (flags: SelectionFlags, command: Command) => {
      const { plan } = await import("./commands/plan.ts");
      await run(command, (context) => plan(context, selectionOf(flags)));
    },
  );
  subcommand(program, "diff", "how the files live on each host differ from the commit's").action(
    async (_options, command: Command) => {
      const { diff } = await import("./commands/diff.ts");
      await run(command, diff);
    },
  );
  const applying = "bring every host to the project's commit, once";
  withSelection(subcommand(program, "apply", applying))
    .option("--prune", "consent to what exactly this commit removes, also in mass", false)
    .option("--heal", 'mend changes on hosts also where drift = "report"', false)
    .action(async (flags: SelectionFlags & ApplyFlags, command: Command) => {
      const { apply } = await import("./commands/apply.ts");
      const { prune, heal } = flags;
      await run(command, (context) =>
        apply(context, { selection: selectionOf(flags), prune, heal }),
      );
    });
  subcommand(program, "approve", "say yes to a host's key, a credential's grant or a prune")
    .argument("[words...]", "host NAME FINGERPRINT | grant CREDENTIAL AGENT HOST | prune COMMIT")
    .addHelpText("after", "\nWithout words it asks about all that waits, or lists it.")
    .action(async (words: string[], _options, command: Command) => {
      const { approve } = await import("./commands/approve.ts");
      await run(command, (context) => approve(context, words));
    });
  const looking = "every host as it is now, its agents and its latest runs";
  withSelection(subcommand(program, "status", looking))
    .alias("stat")
    .addOption(allHosts())
    .option("--dev", DEV, false)
    .action(async ({ dev, ...flags }: SelectionFlags & { dev: boolean }, command: Command) => {
      const { status } = await import("./commands/status.ts");
      await run(command, (context) => status(context, { dev, selection: selectionOf(flags) }));
    });
}

function addBuildCommand(program: Command, run: Run): void {
  const building = "build the images that agents run on, with this machine's Docker";
  subcommand(program, "build", building)
    .argument("[agent]", "only what this agent runs on")
    .option("--dev", "from the working tree, as `al dev` would, instead of the commit", false)
    .addHelpText(
      "after",
      "\nSays each image's name and size and what was cached. `al apply` builds what is missing by itself.",
    )
    .action(async (agent: string | undefined, { dev }: { dev: boolean }, command: Command) => {
      const { build } = await import("./commands/build.ts");
      await run(command, (context) => build(context, { agent, dev }));
    });
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

interface DevFlags {
  readonly env?: string;
}

function addDevCommand(program: Command, run: Run): void {
  subcommand(program, "dev", "run the working tree's agents on this machine while you edit them")
    .option("-E, --env <name>", "lay ~/.action-llama/environments/<name>.toml over config.toml")
    .addHelpText(
      "after",
      "\nWhatever is saved is live at once, committed or not; what is invalid is told, and the last" +
        "\ngood state stays. .env.toml, then the environment's file (-E, AL_ENV, or `environment` in" +
        "\n.env.toml) are laid over config.toml. All agents run here, wherever fleet.toml has them." +
        "\nCtrl-C stops the scheduler too; its data stay, and a run that is going on ends by itself." +
        "\n`al run`, `al logs` and `al status` reach it with --dev.",
    )
    .action(async ({ env }: DevFlags, command: Command) => {
      const { dev } = await import("./commands/dev.ts");
      await run(command, (context) => dev(context, { environment: env ?? context.environment }));
    });
}

function contextFor(command: Command, { project = ".", json = false }: Common): CliContext {
  // biome-ignore lint/style/noProcessEnv: the one place where the environment is read
  const environment: Environment = process.env;
  return {
    home: actionLlamaHome(),
    project: resolve(project),
    output: createOutput(json, { out: process.stdout, err: terminal(environment) }),
    interactive: !json && process.stdin.isTTY === true && process.stdout.isTTY === true,
    environment: environment.AL_ENV,
    dockerSocket: localDockerSocket(environment),
    vultrUrl: environment.AL_VULTR_URL,
    gitVariables: gitVariables(environment),
    signal: interruptSignal(),
    holder: holderName(command.name()),
    person: personName(),
  };
}

/** Standard error; a terminal that cannot move its cursor counts as none. */
function terminal({ TERM }: Environment): Streams["err"] {
  if (TERM !== "dumb") return process.stderr;
  return { write: (text) => process.stderr.write(text) };
}
