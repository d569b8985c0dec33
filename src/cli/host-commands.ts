import type { Command } from "commander";
import { assertNever } from "../base/assert-never.ts";
import type { CliContext } from "./context.ts";
import type { CommandTools } from "./credential-commands.ts";
import type { ProvisionRequest, ProvisionWords } from "./provision-request.ts";

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

const PROVISION_EXITS =
  "\nExit codes: 0 done or nothing to do, 1 error, 2 something waits for --yes.";

/** Adds `al provision` and `al deprovision`. */
export function addMachineCommands(program: Command, tools: CommandTools): void {
  addProvision(program, tools);
  const { subcommand, run } = tools;
  const description = "give a host's machine back to its provider, with all data on it";
  subcommand(program, "deprovision", description)
    .argument("<host>", "a host whose machine al provision made")
    .option("-y, --yes", "do not ask", false)
    .option("--force", "also with runs under way, or where the machine does not answer", false)
    .addHelpText(
      "after",
      "\nWaits until no run is active there, removes what is ours with its credentials, then the machine" +
        `\nand its firewall. Whatever cuts it off, the same command finishes.\n${PROVISION_EXITS}`,
    )
    .action(async (host: string, flags: { yes: boolean; force: boolean }, command: Command) => {
      const { deprovision } = await import("./commands/deprovision.ts");
      await run(command, (context) => deprovision(context, { host, ...flags }));
    });
}

function addProvision(program: Command, { subcommand, run }: CommandTools): void {
  subcommand(program, "provision", "make machines for hosts, or a machine that is there a host")
    .argument("[host]", "a host of fleet.toml; default all that have no machine yet")
    .option("-y, --yes", "do not ask", false)
    .option("--gc [machine]", "list and remove what was left behind; or this machine, by its id")
    .option(
      "--ssh <user@address[:port]>",
      "take the machine whose sshd answers there, as this user",
    )
    .option(
      "--fingerprint <SHA256:...>",
      "with --ssh: its host key, instead of being asked about it",
    )
    .option(
      "--install-docker",
      "with --ssh: install the distribution's Docker where there is none",
      false,
    )
    .option(
      "--harden",
      "with --ssh: make its settings safer; says which, asks, and lets nobody be locked out",
      false,
    )
    .addHelpText("after", PROVISION_HELP)
    .action(async (host: string | undefined, flags: ProvisionWords, command: Command) => {
      const { provisionRequest } = await import("./provision-request.ts");
      await run(command, (context) => carryOut(context, provisionRequest({ ...flags, host })));
    });
}

const PROVISION_HELP = `
Without --ssh: says what machines are ordered for hosts with provider = "vultr" and what they cost a
month, asks, makes them and writes fleet.lock.toml. On a terminal a new host can be picked.
With --ssh: logs in with the key in vps_ssh, sees whether Docker answers there, and writes [hosts.<host>]
into fleet.toml; --harden then says what it would change there, and asks.
Either may be repeated: what was done is not done again.
${PROVISION_EXITS}`;

async function carryOut(context: CliContext, request: ProvisionRequest): Promise<number> {
  switch (request.kind) {
    case "make": {
      const { provision } = await import("./commands/provision.ts");
      return provision(context, request.flags);
    }
    case "adopt": {
      const { adopt } = await import("./commands/adopt.ts");
      return adopt(context, request.host, request.flags);
    }
    case "collect": {
      const { provisionGc } = await import("./commands/provision-gc.ts");
      return provisionGc(context, request.flags);
    }
    default:
      return assertNever(request);
  }
}
