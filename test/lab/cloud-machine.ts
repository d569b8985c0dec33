import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { z } from "zod";
import { AlError } from "../../src/base/errors.ts";
import { readProvisionAssets } from "../../src/cloud/provision-assets.ts";
import type { MachineOs } from "../../src/core/machine.ts";
import type { BootMachine } from "../vultr/account.ts";
import type { SetupOptions } from "./cache.ts";
import { type CommandResult, tail } from "./command.ts";
import { execIn } from "./container-exec.ts";
import { ensureDebianRoot, type Suite } from "./debian-root.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { addressLabel, endpoint, freeAddress, isolation } from "./host-container.ts";
import { ensureImage } from "./image.ts";
import { checkoutId, checkoutRoot, currentRun, runLabels } from "./names.ts";
import { ensureLabNetwork, type LabNetwork } from "./network.ts";

/** What Vultr's own vendor data asks for, and user data has to win over. */
const VENDOR_DATA = { ssh_pwauth: true, disable_root: false };
const BOOT_MS = 400_000;
/** A newer systemd has to be asked to do with what the machine has. */
const ON_CGROUP_1 = ["systemd.unified_cgroup_hierarchy=0", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"];

/**
 * The name of an image of a bare Debian with systemd, cloud-init and sshd; built when missing. What machines
 * install at their first boot is there as packages, so that booting needs no mirror.
 */
export async function ensureCloudImage(
  engine: Engine,
  os: CloudOs,
  options: SetupOptions,
): Promise<string> {
  const dockerd = await readFile(join(import.meta.dirname, "cloud-dockerd.sh"), "utf8");
  const { common, byOs } = await readProvisionAssets(checkoutRoot);
  const packages = [common, byOs[os]].flatMap((config) => Packages.parse(config).packages);
  const recipe = {
    repository: "al-lab/cloud",
    label: os,
    identity: INIT + dockerd + CLOUD_CFG + DOCKER_UNIT + APT_CONF,
    dockerfile: dockerfile(await ensureDebianRoot(engine, SUITES[os], options), packages),
    files: async () => [
      { path: "lab-init", content: INIT, mode: 0o755 },
      { path: "cloud-dockerd", content: dockerd, mode: 0o755 },
      { path: "lab.cfg", content: CLOUD_CFG },
      { path: "docker.conf", content: DOCKER_UNIT },
      { path: "99lab", content: APT_CONF },
    ],
  };
  return ensureImage(connectEngine(engine), recipe, options);
}

/** Distributions that the lab boots. */
export type CloudOs = Extract<MachineOs, "debian-13" | "debian-12">;

const SUITES: Readonly<Record<CloudOs, Suite>> = {
  "debian-13": "trixie",
  "debian-12": "bookworm",
};
const Packages = z.object({ packages: z.array(z.string()) });
/**
 * systemd mounts every controller of cgroup v1 that the kernel has. One that the lab's machine has no mount of
 * would from then on be in the list of each of its processes, and containerd, which looks for all of them,
 * would no longer tell of containers that ran out of memory.
 */
const INIT = `#!/bin/sh
known() {
  while read -r name rest; do
    case $name in '#'*) ;; *) mountpoint -q "/sys/fs/cgroup/$name" || continue ;; esac
    printf '%s\\t%s\\n' "$name" "$rest"
  done </proc/cgroups
}
known >/var/tmp/cgroups && mount --bind /var/tmp/cgroups /proc/cgroups
exec /sbin/init "$@"
`;
const APT_CONF = `APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "5";
`;

/** Its address is the lab's business. */
const CLOUD_CFG = `datasource_list: [NoCloud]
network: {config: disabled}
locale: C.UTF-8
`;
const DOCKER_UNIT = `[Service]
ExecStart=
ExecStart=/usr/local/sbin/cloud-dockerd -H fd:// --containerd=/run/containerd/containerd.sock
`;
/** What of a boot would reach into the machine that the lab runs on. */
const MASKED = [
  ...["getty.target", "systemd-logind.service", "systemd-sysctl.service"],
  ...["systemd-modules-load.service", "systemd-random-seed.service", "systemd-udevd.service"],
].join(" ");

function dockerfile(root: string, packages: readonly string[]): string {
  return `FROM ${root}
COPY 99lab /etc/apt/apt.conf.d/
RUN export DEBIAN_FRONTEND=noninteractive; rm -f /etc/apt/apt.conf.d/docker-clean; apt-get -q update \\
  && apt-get -q upgrade -y \\
  && apt-get -q install -y --no-install-recommends \\
    systemd systemd-sysv dbus libpam-systemd locales cloud-init openssh-server iproute2 \\
  && apt-get -q install -y --download-only ${packages.join(" ")} \\
  && rm -f /etc/ssh/ssh_host_* && systemctl mask ${MASKED}
COPY lab.cfg /etc/cloud/cloud.cfg.d/99_lab.cfg
COPY docker.conf /etc/systemd/system/docker.service.d/lab.conf
COPY cloud-dockerd lab-init /usr/local/sbin/
STOPSIGNAL SIGRTMIN+3
`;
}

/** A machine with systemd, whose first boot is cloud-init's. */
export class CloudMachine {
  readonly address: string;
  readonly #docker: Docker;
  readonly #name: string;
  readonly #network: Docker.Network;

  constructor(docker: Docker, name: string, at: { address: string; network: LabNetwork }) {
    this.#docker = docker;
    this.#name = name;
    this.#network = docker.getNetwork(at.network.name);
    this.address = at.address;
  }

  /** Runs a program inside as root, not through ssh. */
  async exec(...argv: string[]): Promise<CommandResult> {
    return execIn(this.#docker, this.#docker.getContainer(this.#name), argv);
  }

  /** Resolves when cloud-init is done, and Docker answers where it is installed. */
  async booted(): Promise<void> {
    const isUp =
      "test -e /run/cloud-init/result.json && { ! command -v dockerd || docker version; }";
    for (const end = Date.now() + BOOT_MS; Date.now() < end; await delay(500)) {
      if ((await this.exec("sh", "-c", isUp)).code === 0) return;
    }
    const { stdout } = await this.exec("journalctl", "--boot", "--no-pager");
    throw new AlError(`cloud-init is not done after ${BOOT_MS} ms:\n${tail(stdout, 40)}`, {
      code: "lab-boot-failed",
      blame: "bug",
    });
  }

  async reboot(): Promise<void> {
    await this.#docker.getContainer(this.#name).restart({ t: 10 });
    await this.booted();
  }

  /** Pulls its network cable. */
  async disconnect(): Promise<void> {
    await this.#network.disconnect({ Container: this.#name, Force: true });
  }

  /** Plugs its network cable in again; it has the same address. */
  async connect(): Promise<void> {
    const EndpointConfig = endpoint(this.address);
    await this.#network.connect({ Container: this.#name, EndpointConfig });
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
    const isCgroup2 = (await docker.info()).CgroupVersion === "2";
    const container = await docker.createContainer({
      name,
      Image: this.#image,
      Cmd: isCgroup2 ? ["/sbin/init"] : ["/usr/local/sbin/lab-init", ...ON_CGROUP_1],
      Env: ["container=docker"],
      Hostname: hostname,
      Labels: { ...runLabels(currentRun()), [addressLabel]: address },
      Volumes: { "/var/lib/docker": {}, "/var/lib/containerd": {} },
      HostConfig: {
        ...isolation(isCgroup2),
        NetworkMode: network.name,
        Tmpfs: { "/run": "rw,nosuid,mode=755", "/run/lock": "rw" },
      },
      NetworkingConfig: { EndpointsConfig: { [network.name]: endpoint(address) } },
    });
    const machine = new CloudMachine(docker, name, { address, network });
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
