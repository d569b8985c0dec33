import type { Command } from "commander";
import { DEV, wholeNumber } from "./flags.ts";
import type { RunCommandTools } from "./run-commands.ts";
import { type SelectionFlags, selectionOf } from "./selection.ts";

interface WebhookFlags extends SelectionFlags {
  readonly dev: boolean;
}

/** Adds `al webhook ls` and `al webhook replay`. */
export function addWebhookCommands(program: Command, tools: RunCommandTools): void {
  const { run, subcommand, withSelection } = tools;
  const webhook = program.command("webhook").description("deliveries that were let in");
  withSelection(subcommand(webhook, "ls", "deliveries that were let in, the newest first"))
    .option("-n, --lines <count>", "at most so many", wholeNumber, 20)
    .option("--dev", DEV, false)
    .action(async (flags: WebhookFlags & { readonly lines: number }, command: Command) => {
      const { webhookLs } = await import("./commands/webhooks.ts");
      const { lines, dev, ...selection } = flags;
      await run(command, (context) =>
        webhookLs(context, { lines, dev, selection: selectionOf(selection) }),
      );
    });
  withSelection(subcommand(webhook, "replay", "accept a stored delivery once more"))
    .argument("<receipt>", "a receipt's id, as `al webhook ls` shows it")
    .option("--dev", DEV, false)
    .addHelpText(
      "after",
      "\nIt is read and filtered by what is live now, and starts runs whether it did before or not;" +
        "\nprints their ids. Exit code 1 when agents listen for it and none can take a run.",
    )
    .action(async (receipt: string, flags: WebhookFlags, command: Command) => {
      const { webhookReplay } = await import("./commands/webhooks.ts");
      const { dev, ...selection } = flags;
      await run(command, (context) =>
        webhookReplay(context, receipt, { dev, selection: selectionOf(selection) }),
      );
    });
}
