import type { Command } from "commander";
import type { CliContext } from "./context.ts";

/** How commands are added and run; `main.ts` has both. */
export interface CommandTools {
  readonly subcommand: (parent: Command, name: string, description: string) => Command;
  readonly run: (command: Command, work: (context: CliContext) => Promise<number>) => Promise<void>;
}

/** Adds `al push` and `al creds`. */
export function addCredentialCommands(program: Command, tools: CommandTools): void {
  const { subcommand, run } = tools;
  subcommand(program, "push", "deliver credentials to what is live, and change nothing else")
    .argument("[hosts...]", "only these hosts")
    .option("--dry-run", "only say what would change; exit code 2 when something would", false)
    .action(async (hosts: string[], { dryRun }: { dryRun: boolean }, command: Command) => {
      const { push } = await import("./commands/push.ts");
      await run(command, (context) => push(context, { hosts, dryRun }));
    });
  const creds = subcommand(program, "creds", "your own store of credentials");
  addEditing(creds, tools);
  subcommand(creds, "ls", "what is there, how old it is and which agents use it").action(
    async (_options, command: Command) => {
      const { credsLs } = await import("./commands/creds.ts");
      await run(command, credsLs);
    },
  );
  subcommand(creds, "types", "the built-in types and what a run gets of them").action(
    async (_options, command: Command) => {
      const { credsTypes } = await import("./commands/creds.ts");
      await run(command, credsTypes);
    },
  );
}

function addEditing(creds: Command, { subcommand, run }: CommandTools): void {
  const collect = (value: string, all: readonly string[]) => [...all, value];
  subcommand(creds, "add", "store a credential; asks for its fields on a terminal")
    .argument("<type[:instance]>", "as agents name it: github_token, git_ssh:botty")
    .option(
      "--field <name=source>",
      "take a field from a file (name=@path) or stdin (name=-)",
      collect,
      [],
    )
    .addHelpText("after", "\nA value never stands on the command line, where others can see it.")
    .action(async (ref: string, { field }: { field: string[] }, command: Command) => {
      const { credsAdd } = await import("./commands/creds-add.ts");
      await run(command, (context) => credsAdd(context, ref, field));
    });
  subcommand(creds, "rm", "remove a credential; hosts keep what they have of it")
    .argument("<type[:instance]>")
    .option("--yes", "do not ask", false)
    .action(async (ref: string, { yes }: { yes: boolean }, command: Command) => {
      const { credsRm } = await import("./commands/creds.ts");
      await run(command, (context) => credsRm(context, ref, { yes }));
    });
}
