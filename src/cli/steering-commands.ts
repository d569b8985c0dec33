import { type Command, Option } from "commander";
import type { RuntimeSelection } from "./commands/each-runtime.ts";
import { allHosts, DEV } from "./flags.ts";
import type { RunCommandTools } from "./run-commands.ts";
import { isSaid, type SelectionFlags, selectionOf } from "./selection.ts";

interface HostFlags extends SelectionFlags {
  readonly dev: boolean;
}

const WHICH =
  "\nWhere several hosts could be meant, say which: --host NAME, --label KEY=VALUE, or --all.";

/** Adds the commands that stop, hold back, kill and look at what waits. */
export function addSteeringCommands(program: Command, tools: RunCommandTools): void {
  addStartAndStop(program, tools);
  addHolds(program, tools);
  addAgentHolds(program, tools);
  addKill(program, tools);
  addLooks(program, tools);
}

/** The hosts that flags select; `words` are those of a command that changes something there. */
function chosen({ dev, ...flags }: HostFlags, words?: string): RuntimeSelection {
  const selection = { dev, selection: selectionOf(flags) };
  return words === undefined
    ? selection
    : { ...selection, changes: { words, said: isSaid(flags) } };
}

function onHosts(
  { subcommand, withSelection }: RunCommandTools,
  program: Command,
  [name, description]: readonly [name: string, description: string],
): Command {
  return withSelection(subcommand(program, name, description))
    .addOption(allHosts())
    .addOption(new Option("--dev", DEV).default(false).conflicts(["host", "label"]));
}

function addStartAndStop(program: Command, tools: RunCommandTools): void {
  const { run } = tools;
  onHosts(tools, program, ["start", "start hosts that were stopped, and wait until they are ready"])
    .addHelpText(
      "after",
      `${WHICH}\nIt starts what was live there, and takes over runs that went on; what changed since: al apply.`,
    )
    .action(async (flags: HostFlags, command: Command) => {
      const { start } = await import("./commands/start.ts");
      await run(command, (context) => start(context, chosen(flags, "start")));
    });
  onHosts(tools, program, ["stop", "stop the scheduler of hosts, until al start"])
    .option("--drain", "start nothing more, and wait until no run is active", false)
    .addOption(
      new Option("--kill", "kill the runs that are active").default(false).conflicts("drain"),
    )
    .addHelpText(
      "after",
      `${WHICH}\nRuns that are active go on and end by themselves; their ends and whole logs are recorded at` +
        "\nal start. What waits stays in the queue; webhooks are answered with 503." +
        "\nA stopped host stays so over reboots, and no apply or controller changes it. Ctrl-C during" +
        "\n--drain leaves it paused, not stopped.",
    )
    .action(async (flags: HostFlags & { drain: boolean; kill: boolean }, command: Command) => {
      const { stop } = await import("./commands/stop.ts");
      const { drain, kill, ...hosts } = flags;
      await run(command, (context) => stop(context, { ...chosen(hosts, "stop"), drain, kill }));
    });
}

function addHolds(program: Command, tools: RunCommandTools): void {
  const { run } = tools;
  onHosts(tools, program, ["pause", "start nothing more on hosts, or of one agent there"])
    .argument("[agent]", "only this agent")
    .addHelpText(
      "after",
      `${WHICH}\nWhat runs goes on. Webhooks and calls are accepted and wait; ticks of schedules are skipped; al run` +
        "\nis refused. It survives restarts and deployments, until al resume.",
    )
    .action(async (agent: string | undefined, flags: HostFlags, command: Command) => {
      const { pauseHosts } = await import("./commands/hold.ts");
      const words = ["pause", agent].filter(Boolean).join(" ");
      await run(command, (context) => pauseHosts(context, { ...chosen(flags, words), agent }));
    });
  onHosts(tools, program, ["resume", "end a pause: what waited starts"])
    .argument("[agent]", "that of this agent")
    .addHelpText("after", WHICH)
    .action(async (agent: string | undefined, flags: HostFlags, command: Command) => {
      const { resumeHosts } = await import("./commands/hold.ts");
      const words = ["resume", agent].filter(Boolean).join(" ");
      await run(command, (context) => resumeHosts(context, { ...chosen(flags, words), agent }));
    });
}

function addAgentHolds(program: Command, tools: RunCommandTools): void {
  const { run } = tools;
  onHosts(tools, program, ["disable", "have an agent take no trigger at all"])
    .argument("<agent>")
    .addHelpText(
      "after",
      `${WHICH}\nCalls and al run are refused, webhooks pass it by, schedules rest, until al enable.`,
    )
    .action(async (agent: string, flags: HostFlags, command: Command) => {
      const { disableAgent } = await import("./commands/hold.ts");
      const selection = { ...chosen(flags, `disable ${agent}`), agent };
      await run(command, (context) => disableAgent(context, selection));
    });
  onHosts(tools, program, ["enable", "have a disabled agent take triggers again"])
    .argument("<agent>")
    .addHelpText("after", WHICH)
    .action(async (agent: string, flags: HostFlags, command: Command) => {
      const { enableAgent } = await import("./commands/hold.ts");
      const selection = { ...chosen(flags, `enable ${agent}`), agent };
      await run(command, (context) => enableAgent(context, selection));
    });
}

function addKill(program: Command, tools: RunCommandTools): void {
  const { run } = tools;
  onHosts(tools, program, ["kill", "end a run, or all runs of an agent, at once"])
    .argument("<agent|run>", "an agent's name, or a run's id")
    .option("--queued", "of an agent: also drop its runs that wait", false)
    .addHelpText(
      "after",
      `${WHICH}\nA run's id says the host by itself. Exit code 1 when nothing was killed.`,
    )
    .action(async (what: string, flags: HostFlags & { queued: boolean }, command: Command) => {
      const { kill } = await import("./commands/kill.ts");
      const { queued, ...hosts } = flags;
      await run(command, (context) =>
        kill(context, { ...chosen(hosts, `kill ${what}`), what, queued }),
      );
    });
}

function addLooks(program: Command, tools: RunCommandTools): void {
  const { run } = tools;
  onHosts(tools, program, ["queue", "what waits on each host, the oldest first, and what for"])
    .argument("[agent]", "only this agent's")
    .action(async (agent: string | undefined, flags: HostFlags, command: Command) => {
      const { queue } = await import("./commands/queue.ts");
      await run(command, (context) => queue(context, { ...chosen(flags), agent }));
    });
  onHosts(tools, program, ["locks", "what runs have locked on each host"]).action(
    async (flags: HostFlags, command: Command) => {
      const { locks } = await import("./commands/locks.ts");
      await run(command, (context) => locks(context, chosen(flags)));
    },
  );
}
