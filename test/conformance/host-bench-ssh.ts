import { openDocker } from "../../src/docker/docker-client.ts";
import { startDelayProxy } from "../lab/delay-proxy.ts";
import { startHost } from "../lab/host.ts";
import type { HostKind } from "../lab/host-image.ts";
import { setUpLab } from "../lab/set-up.ts";
import type { RealHost } from "./host-bench-real.ts";
import { connectTo } from "./lab-transport.ts";

/** A host of the lab, reached over SSH; cut by ending the TCP connection under it. */
export async function sshHost(kind: HostKind): Promise<RealHost> {
  const log = () => undefined;
  const lab = await setUpLab({ log });
  const host = await startHost(lab.engine, { log, name: `port-${kind}`, kind });
  const eyes = await connectTo(host);
  return {
    host: host.name,
    options: {},
    home: "/home/deploy",
    connect: () => connectTo(host),
    async connectSeverable() {
      const { address, port } = host;
      const proxy = await startDelayProxy({ target: { address, port }, delayMs: 0 });
      const transport = await connectTo(host, { address: "127.0.0.1", port: proxy.port });
      let severed: Promise<void> | undefined;
      const sever = () => {
        severed ??= proxy.close();
        return severed;
      };
      const close = () => transport.close().finally(sever);
      return { transport: { ...transport, close }, sever };
    },
    docker: openDocker(eyes),
    async run(script, stdin) {
      const { code, stdout, stderr } = await host.exec(["su", host.user, "-c", script], stdin);
      if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`);
      return stdout;
    },
    async close() {
      await eyes.close();
      await host.stop();
    },
  };
}
