import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDocker } from "../../src/docker/docker-client.ts";
import { openLocal } from "../../src/transport/local.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { setUpLab } from "../lab/set-up.ts";
import type { RealHost } from "./host-bench-real.ts";

const USUAL_SOCKET = "/var/run/docker.sock";

/** This machine as a host, with a home directory of its own. */
export async function localHost(): Promise<RealHost> {
  const lab = await setUpLab({ log: () => undefined });
  const { socketPath } = lab.engine;
  const home = await mkdtemp(join(tmpdir(), "al-local-host-"));
  const env = { HOME: home, DOCKER_HOST: `unix://${socketPath}` };
  const open = () => withSocket(openLocal({ host: "local", env }), socketPath);
  const eyes = openLocal({ host: "eyes", env });
  return {
    ...{ host: "local", fence: "parent", home },
    hasRuntimes: existsSync(USUAL_SOCKET),
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

/** The machine's engine may listen elsewhere than a host's does. */
function withSocket(transport: Transport, socketPath: string): Transport {
  const there = (text: string) => text.replaceAll(USUAL_SOCKET, socketPath);
  return {
    ...transport,
    exec: (argv, options) => transport.exec(argv.map(there), options),
    forwardUnix: (path, options) => transport.forwardUnix(there(path), options),
  };
}
