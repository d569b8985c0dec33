import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateSshKeyPair, type SshKeyPair } from "../../src/provisioning/ssh-key-pair.ts";
import { type CloudMachine, CloudMachines, ensureCloudImage } from "../lab/cloud-machine.ts";
import { ensureLabNetwork } from "../lab/network.ts";
import { type Lab, setUpLab } from "../lab/set-up.ts";
import { startVultrServer, type VultrServer } from "../vultr/server.ts";
import { type AlOptions, type AlResult, runAl } from "./al.ts";
import { addCredential } from "./home.ts";
import { initWorkingCopy, type WorkingCopy } from "./repository.ts";
import { removeImages } from "./world.ts";

/** A person's machine with `al`, a checkout, and an account at the stand-in for Vultr; no host yet. */
export interface CloudWorld {
  readonly lab: Lab;
  readonly login: SshKeyPair;
  readonly home: string;
  readonly copy: WorkingCopy;
  readonly options: AlOptions;
  readonly vultr: VultrServer;
  /** This machine's address as machines see it. */
  readonly gatewayAddress: string;
  /** Those that are there. */
  machines(): readonly CloudMachine[];
  /** What this found on the last machine, as root, before the stand-in destroyed it. */
  lastSight(): string;
  /** Runs `al -p <working copy> ARGS`. */
  al(...args: string[]): Promise<AlResult>;
  remove(project: string): Promise<void>;
}

/** Makes one; `look` is a shell script that is run on a machine that is about to be destroyed. */
export async function createCloudWorld(look: string): Promise<CloudWorld> {
  const lab = await setUpLab({ log });
  const machines = new CloudMachines(
    lab.engine,
    await ensureCloudImage(lab.engine, "debian-13", { log }),
  );
  let seen = "";
  const vultr = await startVultrServer({
    machines: {
      boot: (machine) => machines.boot(machine),
      async destroy(id) {
        const found = await machines.machines.get(id)?.exec("sh", "-c", look);
        seen = `${found?.stdout}${found?.stderr}`;
        await machines.destroy(id);
      },
    },
  });
  const root = await mkdtemp(join(tmpdir(), "al-cloud-world-"));
  const home = join(root, "home");
  const options: AlOptions = {
    ...{ home, dockerSocket: lab.engine.socketPath },
    variables: { AL_VULTR_URL: vultr.baseUrl },
  };
  const login = generateSshKeyPair();
  await addCredential(home, "vps_ssh/default/private_key", login.privateKey.reveal());
  await addCredential(home, "vultr_api_key/default/api_key", `${vultr.standIn.key}\n`);
  const copy = await initWorkingCopy(join(root, "work"), join(root, "nowhere.git"));
  return {
    ...{ lab, login, home, copy, options, vultr },
    gatewayAddress: (await ensureLabNetwork(lab.engine)).gatewayAddress,
    machines: () => [...machines.machines.values()],
    lastSight: () => seen,
    al: (...args) => runAl(["-p", copy.directory, ...args], options),
    async remove(project) {
      for (const id of [...machines.machines.keys()]) await machines.destroy(id);
      await vultr.close();
      await removeImages(lab, project);
      await rm(root, { recursive: true, force: true });
    },
  };
}

function log(): void {}
