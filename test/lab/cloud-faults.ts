import { setTimeout as delay } from "node:timers/promises";
import type { CloudMachine, CloudOs } from "./cloud-machine.ts";
import { ensureCloudImage } from "./cloud-machine.ts";
import { execIn } from "./container-exec.ts";
import { connectEngine, type Engine } from "./engine.ts";
import { addressLabel, endpoint, freeAddress } from "./host-container.ts";
import { currentRun, runLabels } from "./names.ts";
import { ensureLabNetwork } from "./network.ts";
import { session } from "./openssh.ts";

interface Target {
  readonly machine: CloudMachine;
  readonly view: Parameters<typeof session>[0];
}

/** Opens a session on a machine, and lets no packet of it through any more; others go on. */
export async function cutCable({ machine, view }: Target) {
  // Prints sshd's process of this session, and where its client is.
  const { said, close } = await session(view, 'echo "$PPID $SSH_CLIENT"; exec sleep 120');
  const [pid = "", , port = ""] = said.split(" ");
  const drop = `iptables -I INPUT -p tcp --sport ${port} -j DROP && iptables -I OUTPUT -p tcp --dport ${port} -j DROP`;
  const { code, stderr } = await machine.exec("sh", "-c", drop);
  if (code !== 0) throw new Error(`the cable cannot be cut: ${stderr}`);
  const start = Date.now();
  return {
    /** Resolves when sshd has ended the session, with the seconds that took; at most two minutes. */
    async untilEnded(): Promise<number> {
      const wait = `i=0; while kill -0 ${pid} && [ $i -lt 1200 ]; do i=$((i+1)); sleep 0.1; done`;
      await machine.exec("sh", "-c", wait);
      return (Date.now() - start) / 1_000;
    },
    close,
  };
}

/** Where another sshd listens while somebody guesses. */
const OTHER_PORT = "2222";

/** Somebody in the same network who tries names, and has no key. */
export async function startGuesser(engine: Engine, os: CloudOs, { machine, view }: Target) {
  const docker = connectEngine(engine);
  const network = await ensureLabNetwork(engine);
  const address = await freeAddress(docker, network);
  const container = await docker.createContainer({
    Image: await ensureCloudImage(engine, os, { log: () => undefined }),
    Cmd: ["sleep", "infinity"],
    Labels: { ...runLabels(currentRun()), [addressLabel]: address },
    HostConfig: { Init: true, NetworkMode: network.name },
    NetworkingConfig: { EndpointsConfig: { [network.name]: endpoint(address) } },
  });
  await container.start();
  const options = ["StrictHostKeyChecking=no", "BatchMode=yes", "ConnectTimeout=5"];
  const ssh = (...more: string[]) => {
    const args = options.flatMap((one) => ["-o", one]);
    // A guess that the ban cuts off would hear nothing for as long as sshd waits for it.
    const guess = ["timeout", "15", "ssh", ...args, ...more, `admin@${view.address}`, "true"];
    return execIn(docker, container, guess);
  };
  const isBanned = async () => {
    const { stdout } = await machine.exec("fail2ban-client", "status", "sshd");
    return stdout.includes(address);
  };
  return {
    /**
     * Guesses until the machine bans it, for at most a minute; then what ssh says of one more try, on the
     * same port and on another.
     */
    async untilBanned(): Promise<readonly string[]> {
      const args = ["-p", OTHER_PORT, "-o", "PidFile=none"];
      const { code, stderr } = await machine.exec("/usr/sbin/sshd", ...args);
      if (code !== 0) throw new Error(`no other sshd: ${stderr}`);
      for (const end = Date.now() + 60_000; Date.now() < end && !(await isBanned()); ) {
        await ssh();
        await delay(500);
      }
      return [(await ssh()).stderr, (await ssh("-p", OTHER_PORT)).stderr];
    },
    close: () => container.remove({ force: true }),
  };
}
