import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { getuid } from "node:process";
import { mustRun, runCommand } from "../lab/command.ts";
import type { LabHost } from "../lab/lab-host.ts";

/** Files by path, as they are to lie on every host. */
export type PeerFiles = Readonly<Record<string, string | Uint8Array>>;

/** The same work in Ansible. */
export interface AnsiblePeer {
  /** Milliseconds of one `ansible-playbook`, and whether it changed anything. */
  run(): Promise<{ readonly ms: number; readonly changed: boolean }>;
  remove(): Promise<void>;
}

/** Installs Ansible from Debian's archive where it is missing, and what it needs on the hosts. */
export async function openAnsiblePeer(
  hosts: readonly LabHost[],
  files: { readonly agents: PeerFiles; readonly credentials: PeerFiles },
): Promise<AnsiblePeer> {
  await installAnsible();
  await Promise.all(hosts.map(prepareHost));
  const directory = await mkdtemp(join(tmpdir(), "al-ansible-"));
  for (const [name, contents] of Object.entries(files)) {
    for (const [path, content] of Object.entries(contents)) {
      const file = join(directory, name, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content, { mode: 0o600 });
    }
  }
  await writeSettings(directory, hosts);
  const playbook = join(directory, "noop.yml");
  await copyFile(join(import.meta.dirname, "ansible-noop.yml"), playbook);
  const variables = {
    agents_dir: join(directory, "agents"),
    credentials_dir: join(directory, "credentials"),
    remote_dir: "/home/deploy/peer",
  };
  const env = {
    ANSIBLE_CONFIG: join(directory, "ansible.cfg"),
    HOME: directory,
    LC_ALL: "C.UTF-8",
  };
  const argv = ["ansible-playbook", "-i", join(directory, "hosts"), playbook] as const;
  return {
    async run() {
      const begin = performance.now();
      const said = await mustRun([...argv, "--extra-vars", JSON.stringify(variables)], { env });
      return { ms: performance.now() - begin, changed: !/changed=0 /.test(said) };
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function installAnsible(): Promise<void> {
  const { code } = await runCommand([
    "sh",
    "-c",
    "command -v ansible-playbook && command -v rsync",
  ]);
  if (code === 0) return;
  if (getuid?.() !== 0) throw new Error("ansible and rsync are not installed, and we are not root");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const packages = ["--no-install-recommends", "ansible", "rsync", "openssh-client"];
  await mustRun(["apt-get", "update", "-qq"], { env });
  await mustRun(["apt-get", "install", "-y", "-qq", ...packages], { env });
}

/** Ansible needs Python there, and rsync. */
async function prepareHost(host: LabHost): Promise<void> {
  const script =
    "command -v python3 && command -v rsync || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 rsync; }";
  const directory = "install -d -o deploy -g deploy /home/deploy/peer";
  const { code, stderr } = await host.exec(["sh", "-c", `{ ${script}; } && ${directory}`]);
  if (code !== 0) throw new Error(`host ${host.name}: ${stderr.slice(-500)}`);
}

async function writeSettings(directory: string, hosts: readonly LabHost[]): Promise<void> {
  const known = join(directory, "known_hosts");
  await writeFile(
    known,
    hosts.map(({ address, hostPublicKey }) => `${address} ${hostPublicKey}\n`),
  );
  const inventory: string[] = [];
  for (const { name, address, user, privateKey } of hosts) {
    const key = join(directory, `${name}.key`);
    await writeFile(key, privateKey);
    await chmod(key, 0o600);
    const login = `ansible_user=${user} ansible_ssh_private_key_file=${key}`;
    inventory.push(
      `${name} ansible_host=${address} ${login} ansible_python_interpreter=/usr/bin/python3\n`,
    );
  }
  await writeFile(join(directory, "hosts"), inventory);
  const master = `-o ControlMaster=auto -o ControlPersist=60s -o ControlPath=${directory}/%C`;
  await writeFile(
    join(directory, "ansible.cfg"),
    `[defaults]\nforks = 50\ngathering = explicit\n\n[ssh_connection]\npipelining = True\nssh_args = -F /dev/null ${master} -o UserKnownHostsFile=${known}\n`,
  );
}
