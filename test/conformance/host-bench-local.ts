import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDocker } from "../../src/docker/docker-client.ts";
import { openLocal } from "../../src/transport/local.ts";
import { setUpLab } from "../lab/set-up.ts";
import type { RealHost } from "./host-bench-real.ts";

/** This machine as a host, with a home directory of its own. */
export async function localHost(): Promise<RealHost> {
  const lab = await setUpLab({ log: () => undefined });
  const { socketPath } = lab.engine;
  const home = await mkdtemp(join(tmpdir(), "al-local-host-"));
  const env = { HOME: home, DOCKER_HOST: `unix://${socketPath}` };
  const open = () => openLocal({ host: "local", env });
  const eyes = openLocal({ host: "eyes", env });
  return {
    ...{ host: "local", home, options: { fence: "parent", socketPath } },
    connect: async () => open(),
    async connectSeverable() {
      const transport = open();
      return { transport, sever: () => transport.close() };
    },
    docker: openDocker(eyes, { socketPath }),
    async run(script, stdin) {
      const { code, stdout, stderr } = await eyes.exec(["sh", "-c", script], { stdin });
      if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`);
      return stdout.toString();
    },
    async close() {
      await eyes.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
