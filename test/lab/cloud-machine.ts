import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { AlError } from "../../src/base/errors.ts";
import type { BootMachine } from "../vultr/account.ts";
import { installPackages } from "./base-image.ts";
import type { SetupOptions } from "./cache.ts";
import { type CommandResult, tail } from "./command.ts";
import { execIn } from "./container-exec.ts";
import { ensureDebianRoot, type Suite } from "./debian-root.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { addressLabel, endpoint, freeAddress, isolation } from "./host-container.ts";
import { ensureImage } from "./image.ts";
import { checkoutId, currentRun, runLabels } from "./names.ts";
import { ensureLabNetwork } from "./network.ts";

/** What Vultr's own vendor data asks for, and user data has to win over. */
const VENDOR_DATA = { ssh_pwauth: true, disable_root: false };
const BOOT_MS = 400_000;

/** The name of an image of a bare Debian with cloud-init and sshd; built when missing. */
export async function ensureCloudImage(
  engine: Engine,
  suite: Suite,
  options: SetupOptions,
): Promise<string> {
  const read = (name: string) => readFile(join(import.meta.dirname, name), "utf8");
  const [cloudStart, hostStart] = [await read("cloud-start.sh"), await read("host-start.sh")];
  const recipe = {
    repository: "al-lab/cloud",
    label: suite,
    identity: cloudStart + hostStart,
    dockerfile: dockerfile(await ensureDebianRoot(engine, suite, options)),
    files: async () => [
      { path: "cloud-start", content: cloudStart, mode: 0o755 },
      { path: "host-start", content: hostStart, mode: 0o755 },
      { path: "lab.cfg", content: '{"datasource_list": ["NoCloud"]}\n' },
    ],
  };
  return ensureImage(connectEngine(engine), recipe, options);
}

/** Packages start nothing while they are installed: there is no systemd to start it. */
function dockerfile(root: string): string {
  return `FROM ${root}
RUN ${installPackages("cloud-init", "openssh-server", "iproute2")} && rm -f /etc/ssh/ssh_host_* \\
  && printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
COPY lab.cfg /etc/cloud/cloud.cfg.d/99_lab.cfg
COPY cloud-start host-start /usr/local/sbin/
CMD ["/usr/local/sbin/cloud-start"]
`;
}

/** A machine whose first boot is cloud-init's. */
export class CloudMachine {
  readonly address: string;
  readonly #docker: Docker;
  readonly #name: string;

  constructor(docker: Docker, name: string, address: string) {
    this.#docker = docker;
    this.#name = name;
    this.address = address;
  }

  /** Runs a program inside as root, not through ssh. */
  async exec(...argv: string[]): Promise<CommandResult> {
    return execIn(this.#docker, this.#docker.getContainer(this.#name), argv);
  }

  /** Resolves when cloud-init is done. */
  async booted(): Promise<void> {
    for (const end = Date.now() + BOOT_MS; Date.now() < end; await delay(500)) {
      if ((await this.exec("test", "-e", "/run/first-boot-done")).code === 0) return;
    }
    const { stdout } = await this.exec("cat", "/var/log/cloud-start.log");
    throw new AlError(`cloud-init is not done after ${BOOT_MS} ms:\n${tail(stdout, 40)}`, {
      code: "lab-boot-failed",
      blame: "bug",
    });
  }

  async reboot(): Promise<void> {
    await this.#docker.getContainer(this.#name).restart({ t: 10 });
    await this.booted();
  }

  async destroy(): Promise<void> {
    await this.#docker.getContainer(this.#name).remove({ force: true, v: true });
  }
}

/** Machines for the stand-in of Vultr: containers that boot with exactly the user data given. */
export class CloudMachines implements BootMachine {
  readonly machines = new Map<string, CloudMachine>();
  readonly #engine: Engine;
  readonly #image: string;

  constructor(engine: Engine, image: string) {
    this.#engine = engine;
    this.#image = image;
  }

  async boot({ id, hostname, userData }: { id: string; hostname: string; userData: string }) {
    const docker = connectEngine(this.#engine);
    const network = await ensureLabNetwork(this.#engine);
    const address = await freeAddress(docker, network);
    const name = `al-lab-${checkoutId}-${currentRun().id}-cloud-${id.slice(0, 8)}`;
    const { CgroupVersion } = await docker.info();
    const container = await docker.createContainer({
      name,
      Image: this.#image,
      Hostname: hostname,
      Labels: { ...runLabels(currentRun()), [addressLabel]: address },
      Volumes: { "/var/lib/docker": {} },
      HostConfig: {
        ...isolation(CgroupVersion === "2"),
        Init: true,
        NetworkMode: network.name,
        Tmpfs: { "/run": "rw,nosuid,mode=755" },
      },
      NetworkingConfig: { EndpointsConfig: { [network.name]: endpoint(address) } },
    });
    const machine = new CloudMachine(docker, name, address);
    this.machines.set(id, machine);
    await container.putArchive(seed({ id, hostname, userData }), { path: "/" });
    await container.start();
    return { address };
  }

  async destroy(id: string): Promise<void> {
    await this.machines.get(id)?.destroy();
    this.machines.delete(id);
  }
}

/** Where cloud-init finds its data without a network. */
function seed({ id, hostname, userData }: { id: string; hostname: string; userData: string }) {
  const tar = pack();
  const directory = "var/lib/cloud/seed/nocloud";
  const files = {
    "user-data": userData,
    "vendor-data": `#cloud-config\n${JSON.stringify(VENDOR_DATA)}\n`,
    "meta-data": JSON.stringify({ "instance-id": id, "local-hostname": hostname }),
  };
  for (const [name, content] of Object.entries(files)) {
    tar.entry({ name: `${directory}/${name}`, mode: 0o600 }, content);
  }
  tar.finalize();
  return Readable.from(tar);
}
