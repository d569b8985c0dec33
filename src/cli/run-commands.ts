import { type Command, Option } from "commander";
import type { CommandTools } from "./credential-commands.ts";
import { allHosts, DEV, pattern, sinceTime, wholeNumber } from "./flags.ts";
import { type SelectionFlags, selectionOf } from "./selection.ts";

/** How commands about runs are added. */
export interface RunCommandTools extends CommandTools {
  readonly withSelection: (command: Command) => Command;
}

interface RunFlags {
  readonly follow: boolean;
  readonly dev: boolean;
  readonly host?: string;
  readonly body?: string;
}

/** Adds `al run`, `al logs` and `al runs`. */
export function addRunCommands(program: Command, tools: RunCommandTools): void {
  const { run, subcommand } = tools;
  subcommand(program, "run", "trigger an agent by hand")
    .argument("<agent>")
    .option("-f, --follow", "show its log, and exit by its outcome", false)
    .addOption(
      new Option("--host <name>", "on this host; by default the first that has it").conflicts(
        "dev",
      ),
    )
    .option("--body <file>", "start it as by a webhook with this context: a JSON object, to 10 MB")
    .option("--dev", DEV, false)
    .addHelpText(
      "after",
      "\nWithout --follow it prints the run's id. With it: $ is what the agent does, ! what went wrong," +
        "\n= what it used, - the run's other events. Exit code 0 when the run completed, 1 otherwise.",
    )
    .action(async (agent: string, flags: RunFlags, command: Command) => {
      const { run: trigger } = await import("./commands/run.ts");
      await run(command, (context) => trigger(context, agent, flags));
    });
  addLogs(program, tools);
  addRecords(program, tools);
}

interface LogFlags extends SelectionFlags {
  readonly follow: boolean;
  readonly scheduler?: boolean;
  readonly dev: boolean;
  readonly lines?: number;
  readonly since?: number;
  readonly grep?: RegExp;
}

function addLogs(program: Command, { run, subcommand, withSelection }: RunCommandTools): void {
  withSelection(subcommand(program, "logs", "show what runs wrote, by default the latest run"))
    .argument("[agent|run]", "an agent's name, or a run's id")
    .argument("[run]", "a run's id")
    .option("-f, --follow", "go on until the run ends", false)
    .option("-n, --lines <count>", "only the last lines of each host", wholeNumber)
    .option("--since <time>", "all runs since then: 10m, 2d, 2026-01-31T08:00", sinceTime)
    .option("--grep <pattern>", "only lines that match this regular expression", pattern)
    .option("--scheduler", "what the runtimes say of themselves, instead of runs")
    .addOption(allHosts())
    .option("--dev", DEV, false)
    .addHelpText("after", "\nThe runtimes' own log goes back 20 MiB on each host.")
    .action(async (first: string | undefined, second: string | undefined, ...rest: unknown[]) => {
      const [flags, command] = rest as [LogFlags, Command];
      const { follow, dev, lines, since, grep, scheduler = false, ...selection } = flags;
      const words = [first, second].filter((word) => word !== undefined);
      if (scheduler) {
        if (words.length > 0) command.error("error: --scheduler is about no agent and no run");
        const { runtimeLogs } = await import("./commands/runtime-logs.ts");
        const part = { follow, dev, lines, since, grep, selection: selectionOf(selection) };
        return run(command, (context) => runtimeLogs(context, part));
      }
      const { logs, logsOf } = await import("./commands/logs.ts");
      await run(command, (context) =>
        logs(context, {
          ...{ ...logsOf(words), selection: selectionOf(selection) },
          ...{ follow, dev, lines, since, grep },
        }),
      );
    });
}

interface RecordFlags extends SelectionFlags {
  readonly lines: number;
  readonly dev: boolean;
}

function addRecords(program: Command, { run, subcommand, withSelection }: RunCommandTools): void {
  const listing = "what is recorded of runs, the newest first; of one run everything";
  withSelection(subcommand(program, "runs", listing))
    .argument("[agent|run]", "an agent's name or a run's id")
    .option("-n, --lines <count>", "at most so many", wholeNumber, 20)
    .addOption(allHosts())
    .option("--dev", DEV, false)
    .action(async (what: string | undefined, flags: RecordFlags, command: Command) => {
      const { runs } = await import("./commands/runs.ts");
      const { lines, dev, ...selection } = flags;
      await run(command, (context) =>
        runs(context, { what, lines, dev, selection: selectionOf(selection) }),
      );
    });
}
