import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SetupOptions } from "./cache.ts";
import { mustRun } from "./command.ts";
import { ensureDebianRoot } from "./debian-root.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { ensureImage } from "./image.ts";
import { checkoutRoot } from "./names.ts";

/**
 * The name of an image that stands in for the registry's node slim image; built when missing.
 * Debian 12 with the pinned toolchain's node, git, curl, jq, ssh and the user `node` (uid 1000).
 */
export async function ensureBaseImage(engine: Engine, options: SetupOptions): Promise<string> {
  const nodePath = join(checkoutRoot, "node_modules/node/bin/node");
  const version = (await mustRun([nodePath, "--version"])).trim();
  const recipe = {
    repository: "al-lab/base",
    label: `node-${version}`,
    identity: version,
    dockerfile: dockerfile(await ensureDebianRoot(engine, "bookworm", options)),
    files: async () => [{ path: "node", content: await readFile(nodePath), mode: 0o755 }],
  };
  return ensureImage(connectEngine(engine), recipe, options);
}

/** Removes what a package installation leaves that a running image never needs. */
export const cleanPackages =
  "rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/*.log";

/** Installs Debian packages in a Dockerfile's RUN. */
export function installPackages(...names: string[]): string {
  const apt = "apt-get -q -o APT::Sandbox::User=root -o Acquire::Languages=none";
  const install = `${apt} install -y --no-install-recommends ${names.join(" ")}`;
  return `export DEBIAN_FRONTEND=noninteractive; ${apt} update && ${install} && ${cleanPackages}`;
}

function dockerfile(root: string): string {
  const packages = ["ca-certificates", "curl", "git", "jq", "openssh-client", "libstdc++6"];
  return `FROM ${root}
RUN useradd --uid 1000 --create-home --shell /bin/bash node
COPY node /usr/local/bin/node
RUN ${installPackages(...packages)}
CMD ["node"]
`;
}
