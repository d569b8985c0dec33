import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMachines } from "../../src/cli/machines.ts";
import type { MachinesPort } from "../../src/provisioning/adopt-ports.ts";
import { hardenSshd } from "../../src/provisioning/harden-sshd.ts";
import { startBareMachine } from "../lab/bare-machine.ts";
import type { CloudMachine, CloudOs } from "../lab/cloud-machine.ts";
import { openssh } from "../lab/openssh.ts";
import { setUpLab } from "../lab/set-up.ts";
import { type AlResult, runAl } from "./al.ts";
import { addCredential } from "./home.ts";

/** A person's machine with `al` and an empty project, and a machine of a provider's. */
export interface BareWorld {
  readonly machine: CloudMachine;
  /** Runs `al -p <project> ARGS`. */
  al(...args: string[]): Promise<AlResult>;
  /** Runs `al provision one --ssh root@... --harden FLAGS`, the machine's key given. */
  harden(...flags: string[]): Promise<AlResult>;
  /** Hardens sshd only, and does something when the second login is due. */
  tryOut(trialSeconds: number, atSecondLogin: () => Promise<void>): Promise<void>;
  /** What a shell script prints on the machine; not through ssh. */
  asRoot(script: string): Promise<string>;
  /** Who a new login with OpenSSH is. */
  login(): Promise<string>;
  /** The ways in that the running sshd offers, whatever its files say: asked on the machine by a stranger. */
  waysIn(): Promise<string>;
  remove(): Promise<void>;
}

/** Makes one, with a machine that has just booted for the first time. */
export async function createBareWorld(os: CloudOs): Promise<BareWorld> {
  const { engine } = await setUpLab({ log: () => undefined });
  const { machine, view, fingerprint, close } = await startBareMachine(engine, os);
  const root = await mkdtemp(join(tmpdir(), "al-bare-world-"));
  const [home, project] = [join(root, "home"), join(root, "project")];
  await mkdir(project);
  await addCredential(home, "vps_ssh/default/private_key", view.privateKey);
  const options = { home, dockerSocket: engine.socketPath };
  const al = (...args: string[]) => runAl(["-p", project, ...args], options);
  const asRoot = async (script: string) => (await machine.exec("sh", "-c", script)).stdout.trim();
  const { address, port, user } = view;
  const login = { host: "one", address, port, user };
  const adopt = ["provision", "one", "--ssh", `${user}@${address}`, "--fingerprint", fingerprint];
  return {
    ...{ machine, al, asRoot },
    harden: (...flags) => al(...adopt, "--harden", ...flags),
    tryOut(trialSeconds, atSecondLogin) {
      const machines = beforeSecondLogin(openMachines(join(home, ".action-llama")), atSecondLogin);
      return hardenSshd(machines, { login, fingerprint, trialSeconds });
    },
    login: async () => (await openssh(view, "id -un")).stdout.trim(),
    async waysIn() {
      const said = await asRoot(STRANGER);
      return /Permission denied \((.*)\)/.exec(said)?.[1] ?? said;
    },
    async remove() {
      await close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

const STRANGER = "ssh -o StrictHostKeyChecking=no -o BatchMode=yes nobody@127.0.0.1 true 2>&1";

function beforeSecondLogin(machines: MachinesPort, work: () => Promise<void>): MachinesPort {
  let logins = 0;
  return {
    ...machines,
    async connect(login, options) {
      logins += 1;
      if (logins === 2) await work();
      return machines.connect(login, options);
    },
  };
}
