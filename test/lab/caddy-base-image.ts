import { installPackages } from "./base-image.ts";
import type { SetupOptions } from "./cache.ts";
import { connectEngine } from "./engine.ts";
import { ensureImage } from "./image.ts";
import type { Lab } from "./set-up.ts";

/**
 * The lab's base image with Debian's Caddy in it, which believes `root` (PEM) besides what Debian believes:
 * our own Dockerfile of the ingress then installs nothing.
 */
export async function ensureCaddyBaseImage(
  { engine, baseImage }: Lab,
  root: string,
  options: SetupOptions,
): Promise<string> {
  const docker = connectEngine(engine);
  const withCaddy = await ensureImage(
    docker,
    {
      ...{ repository: "al-lab/base", label: "caddy", identity: "" },
      dockerfile: `FROM ${baseImage}\nRUN ${installPackages("caddy")}\n`,
      files: async () => [],
    },
    options,
  );
  return ensureImage(
    docker,
    {
      ...{ repository: "al-lab/base", label: "caddy-believing", identity: root },
      dockerfile: `FROM ${withCaddy}\nCOPY root.crt /usr/local/share/ca-certificates/lab.crt\nRUN update-ca-certificates\n`,
      files: async () => [{ path: "root.crt", content: root }],
    },
    options,
  );
}
