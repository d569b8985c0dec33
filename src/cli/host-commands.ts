import type { Command } from "commander";
import type { AdoptFlags } from "./commands/adopt.ts";
import type { CommandTools } from "./credential-commands.ts";

/** Adds `al host` and what is below it. */
export function addHostCommands(program: Command, tools: CommandTools): void {
  const { subcommand, run } = tools;
  const host = program.command("host").description("hosts of the fleet");
  subcommand(host, "ls", "the hosts of fleet.toml, and what is known of them").action(
    async (_options, command: Command) => {
      const { hostLs } = await import("./commands/host-ls.ts");
      await run(command, hostLs);
    },
  );
  subcommand(host, "show", "all that is known of one host; asks nobody")
    .argument("<name>")
    .action(async (name: string, _options, command: Command) => {
      const { hostShow } = await import("./commands/host-ls.ts");
      await run(command, (context) => hostShow(context, name));
    });
  addSsh(host, tools);
  subcommand(host, "check", "look at hosts, and say what to mend there; changes nothing")
    .argument("[names...]", "only these hosts")
    .addHelpText("after", "\nExit code 1 when a host has a problem or cannot be looked at.")
    .action(async (names: string[], _options, command: Command) => {
      const { hostCheck } = await import("./commands/host-check.ts");
      await run(command, (context) => hostCheck(context, names));
    });
  subcommand(host, "rotate-key", "have a host make another host key, and approve that instead")
    .argument("<name>")
    .addHelpText("after", "\nDeployments go on meanwhile. When it is cut off, run it again.")
    .action(async (name: string, _options, command: Command) => {
      const { hostRotateKey } = await import("./commands/host-rotate-key.ts");
      await run(command, (context) => hostRotateKey(context, name));
    });
  subcommand(host, "forget", "give up a host that left fleet.toml; prints what stays there")
    .argument("<name>")
    .action(async (name: string, _options, command: Command) => {
      const { hostForget } = await import("./commands/host-forget.ts");
      await run(command, (context) => hostForget(context, name));
    });
}

function addSsh(host: Command, { subcommand, run }: CommandTools): void {
  subcommand(
    host,
    "ssh",
    "log in on a host with the fleet's key; only its approved key is accepted",
  )
    .argument("<name>")
    .argument("[command...]", "run this instead of a shell; behind -- where it has options")
    .action(async (name: string, words: string[], _options, command: Command) => {
      const { hostSsh } = await import("./commands/host-ssh.ts");
      await run(command, (context) => hostSsh(context, name, words));
    });
}

/** Adds `al provision`. */
export function addProvisionCommand(program: Command, { subcommand, run }: CommandTools): void {
  const description = "make a machine that is there a host of the fleet";
  subcommand(program, "provision", description)
    .argument("<host>", "the host's name in fleet.toml")
    .requiredOption("--ssh <user@address[:port]>", "where its sshd answers, and as whom")
    .option("--fingerprint <SHA256:...>", "its host key, instead of being asked about it")
    .option("--install-docker", "install the distribution's Docker where there is none", false)
    .option(
      "--harden",
      "make its settings safer: says which, asks, and lets nobody be locked out",
      false,
    )
    .option("--yes", "harden it without asking", false)
    .addHelpText(
      "after",
      "\nLogs in with the key in vps_ssh, sees whether Docker answers there, and writes [hosts.<host>]" +
        "\ninto fleet.toml. May be repeated: what was done is not done again." +
        "\nExit code 2 when hardening waits for --yes.",
    )
    .action(async (name: string, flags: AdoptFlags, command: Command) => {
      const { adopt } = await import("./commands/adopt.ts");
      await run(command, (context) => adopt(context, name, flags));
    });
}
