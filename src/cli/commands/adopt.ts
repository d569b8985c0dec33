import { join } from "node:path";
import { AlError } from "../../base/errors.ts";
import { type HostFields, newFleetFile, withHost } from "../../config/edit-fleet.ts";
import { Name, projectNameFrom } from "../../config/names.ts";
import { describeApproval } from "../../core/approval.ts";
import { type AdoptedMachine, adoptMachine } from "../../provisioning/adopt.ts";
import type { Login } from "../../provisioning/adopt-ports.ts";
import { parseLogin } from "../../provisioning/parse-login.ts";
import { type ControllerStore, openControllerStore } from "../../state/controller-store.ts";
import { formatEndpoint } from "../../transport/dial.ts";
import { askYes } from "../ask.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { openMachines } from "../machines.ts";
import { directoryName } from "../project.ts";
import {
  FLEET_FILE,
  fleetWith,
  type HostTable,
  hostTableIn,
  readFleetText,
} from "../read-fleet.ts";
import { replaceFile } from "../replace-file.ts";
import { storeDirectory, wakeController } from "../wake.ts";
import { checkWorkingCopy } from "../working-copy.ts";
import { harden } from "./harden.ts";

/** Flags of `al provision --ssh`. */
export interface AdoptFlags {
  /** `user@address[:port]`. */
  readonly ssh: string;
  /** The machine's fingerprint, as its operator knows it. */
  readonly fingerprint?: string | undefined;
  readonly installDocker: boolean;
  /** Change the machine's settings so that it is safer. */
  readonly harden: boolean;
  /** Harden it without asking. */
  readonly yes: boolean;
}

/**
 * `al provision NAME --ssh`: makes a machine that is there a host of the fleet. Confirms its key once,
 * sees to its Docker, and writes it into fleet.toml.
 */
export async function adopt(context: CliContext, name: string, flags: AdoptFlags): Promise<number> {
  checkName(name);
  const login: Login = { host: name, ...parseLogin(flags.ssh) };
  const { project, home, output, signal } = context;
  await checkWorkingCopy(context);
  const before = await fleetText(project);
  checkFree(hostTableIn(before, name), login);
  // A file that cannot be edited, or would not be valid, is said before anything is done.
  const draft = await fleetWith(project, withHost(before, name, fieldsOf(login)));
  const store = openControllerStore(storeDirectory(home, draft.file.project.name));
  try {
    const machine = await adoptMachine(
      { login, believed: store.believedKeys(name), expected: flags.fingerprint },
      {
        machines: openMachines(home),
        ...operatorOf(context, { login, store, flags }),
        progress: output.progress,
      },
      { signal },
    );
    const isWritten = await writeHost(project, login, machine);
    await wakeController(home, draft.file.project.name);
    tell(context, { login, machine, isWritten });
    return flags.harden ? await harden(context, { login, machine, yes: flags.yes }) : EXIT.done;
  } finally {
    store.close();
  }
}

interface Operator {
  readonly login: Login;
  readonly store: ControllerStore;
  readonly flags: AdoptFlags;
}

function operatorOf({ interactive }: CliContext, { login, store, flags }: Operator) {
  const approval = (fingerprint: string) => ({
    kind: "host-key" as const,
    ...{ host: login.host, fingerprint, endpoint: formatEndpoint(login) },
    replaces: store.hostKey(login.host),
  });
  return {
    confirmKey: async (fingerprint: string) =>
      interactive ? askYes(describeApproval(approval(fingerprint))) : undefined,
    approveKey: (fingerprint: string) => store.approve(approval(fingerprint), Date.now()),
    confirmInstall: async ({ system }: { readonly system: string }) => {
      if (flags.installDocker) return true;
      const question = `Docker is not installed. Install the package of ${system}?`;
      return interactive ? askYes(question) : undefined;
    },
  };
}

function checkName(name: string): void {
  const problem = Name.safeParse(name).error?.issues[0]?.message;
  if (problem === undefined) return;
  const message = `${JSON.stringify(name)} cannot be a host's name: it ${problem}`;
  throw new AlError(message, { code: "host-name", blame: "user", hint: "Take another name." });
}

/** Another machine under a host's name, or what a provider made, is not replaced in passing. */
function checkFree(table: HostTable | undefined, { host, address, port }: Login): void {
  const { provider = "ssh", address: there = address, port: at = port } = table ?? {};
  if (provider === "ssh" && there === address && at === port) return;
  const what = provider === "ssh" ? `at ${there}, port ${at}` : `with provider ${provider}`;
  throw new AlError(`host ${host} is in fleet.toml already, ${what}`, {
    code: "host-in-fleet",
    blame: "user",
    hint: `Take another name, or remove [hosts.${host}] from fleet.toml first.`,
  });
}

/** fleet.toml as it is, or as it begins. */
async function fleetText(project: string): Promise<string> {
  const found = await readFleetText(project);
  return found ?? newFleetFile(projectNameFrom(directoryName(project)));
}

/** Written as it is, not left to defaults: those may change, the machine does not. */
function fieldsOf({ address, port, user }: Login): HostFields {
  return { address, port, user };
}

/** Writes what is not there yet; what changed in the file meanwhile stays. True when it wrote. */
async function writeHost(
  project: string,
  login: Login,
  { look }: AdoptedMachine,
): Promise<boolean> {
  const before = await fleetText(project);
  const { architecture } = look.engine;
  const text = withHost(before, login.host, { ...fieldsOf(login), architecture });
  if (text === before) return false;
  await replaceFile(join(project, FLEET_FILE), text);
  return true;
}

interface Adopted {
  readonly login: Login;
  readonly machine: AdoptedMachine;
  readonly isWritten: boolean;
}

function tell({ output }: CliContext, { login, machine, isWritten }: Adopted): void {
  const { host, ...at } = login;
  const { look, fingerprint, installed } = machine;
  const { version, architecture } = look.engine;
  output.record({
    kind: "adopted",
    ...{ host, ...at, fingerprint, system: look.system, architecture },
    docker: { version, installed },
    written: isWritten,
  });
  const docker = `Docker ${version}${installed ? ", installed" : ""}`;
  output.line(`${host}: ${look.system}, ${architecture}, ${docker}`);
  output.line(`  its key is ${fingerprint}`);
  output.line(
    isWritten
      ? `  [hosts.${host}] is in ${FLEET_FILE}: commit it, then al apply`
      : `  ${FLEET_FILE} has it already`,
  );
  output.line(`  what could be better there: al host check ${host}`);
}
