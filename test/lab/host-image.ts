import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { installPackages } from "./base-image.ts";
import type { SetupOptions } from "./cache.ts";
import { ensureDebianRoot, type Suite } from "./debian-root.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { ensureImage } from "./image.ts";

/** A kind of host: what differs between engines that users have. */
export interface HostRecipe {
  readonly suite: Suite;
  /** Besides those every host has. */
  readonly packages: readonly string[];
  /** dockerd's daemon.json. */
  readonly daemon: Readonly<Record<string, unknown>>;
}

/** The kinds of host that exist. */
export type HostKind = "bookworm" | "trixie" | "testing" | "testing-containerd";

/** Every kind of host by name; only `bookworm` is built before a test asks for it. */
export const hostRecipes: Readonly<Record<HostKind, HostRecipe>> = {
  /** Docker 20.10, classic image store. */
  bookworm: { suite: "bookworm", packages: [], daemon: { "live-restore": true } },
  /** Docker 26.1 with the containerd image store. */
  trixie: {
    suite: "trixie",
    packages: ["docker-cli"],
    daemon: { "live-restore": true, features: { "containerd-snapshotter": true } },
  },
  /** Docker 28.5, classic image store. */
  testing: { suite: "testing", packages: ["docker-cli"], daemon: { "live-restore": true } },
  /** Docker 28.5 with the containerd image store: the nearest to what Docker 29 does by default. */
  "testing-containerd": {
    suite: "testing",
    packages: ["docker-cli"],
    daemon: { "live-restore": true, features: { "containerd-snapshotter": true } },
  },
};

/** The name of the image of one kind of host: sshd, dockerd, user `deploy`; built when missing. */
export async function ensureHostImage(
  engine: Engine,
  options: SetupOptions & { readonly kind?: HostKind },
): Promise<string> {
  const kind = options.kind ?? "bookworm";
  const { suite, packages, daemon } = hostRecipes[kind];
  const start = await readFile(join(import.meta.dirname, "host-start.sh"), "utf8");
  const daemonJson = JSON.stringify(daemon);
  const recipe = {
    repository: "al-lab/host",
    label: kind,
    identity: start + daemonJson,
    dockerfile: dockerfile(await ensureDebianRoot(engine, suite, options), packages),
    files: async () => [
      { path: "host-start", content: start, mode: 0o755 },
      { path: "daemon.json", content: daemonJson },
    ],
  };
  return ensureImage(connectEngine(engine), recipe, options);
}

function dockerfile(root: string, packages: readonly string[]): string {
  const common = ["ca-certificates", "openssh-server", "docker.io", "iptables", "iproute2"];
  return `FROM ${root}
RUN ${installPackages(...common, ...packages)} && rm -f /etc/ssh/ssh_host_*
RUN useradd --uid 1001 --create-home --shell /bin/bash --groups docker deploy \\
  && install -d -m 700 -o deploy -g deploy /home/deploy/.ssh \\
  && printf 'PasswordAuthentication no\\nHostKey /etc/ssh/ssh_host_ed25519_key\\n' \\
     > /etc/ssh/sshd_config.d/lab.conf
COPY daemon.json /etc/docker/daemon.json
COPY host-start /usr/local/sbin/host-start
CMD ["/usr/local/sbin/host-start"]
`;
}
