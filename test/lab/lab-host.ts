import { once } from "node:events";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { withDeadline } from "../../src/base/deadline.ts";
import { AlError } from "../../src/base/errors.ts";
import { type CommandResult, tail } from "./command.ts";
import { execIn } from "./container-exec.ts";
import { endpoint, type HostContainer } from "./host-container.ts";
import { fingerprintOf } from "./keys.ts";

/** A real host of the lab, and the faults that can be done to it. */
export class LabHost {
  readonly name: string;
  readonly address: string;
  readonly port: number = 22;
  /** Uid 1001, in the group docker, not root. */
  readonly user: string = "deploy";
  /** OpenSSH's format, ed25519, no passphrase. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA...` */
  readonly hostPublicKey: string;
  /** `SHA256:...`, as ssh-keygen prints it. */
  readonly hostKeyFingerprint: string;
  readonly containerName: string;
  /** This machine, as the host and its containers see it: bind servers here. */
  readonly gatewayAddress: string;
  readonly #docker: Docker;
  readonly #host: HostContainer;

  constructor(docker: Docker, host: HostContainer) {
    this.#docker = docker;
    this.#host = host;
    this.name = host.name;
    this.address = host.address;
    this.privateKey = host.clientKey.privateKey;
    this.hostPublicKey = host.hostKey.publicKey;
    this.hostKeyFingerprint = fingerprintOf(host.hostKey.publicKey);
    this.containerName = host.containerName;
    this.gatewayAddress = host.network.gatewayAddress;
  }

  get #container(): Docker.Container {
    return this.#docker.getContainer(this.containerName);
  }

  /** Runs a program inside as root, not through ssh: for assertions and faults. */
  async exec(argv: readonly string[], stdin?: Readable): Promise<CommandResult> {
    return execIn(this.#docker, this.#container, argv, stdin);
  }

  /** Loads an image of the machine's engine into the host's. */
  async preload(image: string): Promise<void> {
    const archive = Readable.from(await this.#docker.getImage(image).get());
    const { code, stderr } = await this.exec(["docker", "load", "--quiet"], archive);
    if (code !== 0) throw this.#error(`loading ${image}`, stderr);
  }

  /** Stops all its processes where they are: it looks dead and its connections hang. */
  async pause(): Promise<void> {
    await this.#container.pause();
  }

  /** Lets a paused host go on. */
  async unpause(): Promise<void> {
    await this.#container.unpause();
  }

  /** Cuts its power: nothing inside gets a chance to end well. Disk and address stay. */
  async kill(): Promise<void> {
    await this.#container.kill();
  }

  /** Boots a host that was killed; resolves like {@link startHost}. */
  async start(): Promise<void> {
    await this.#container.start();
    await this.ready();
  }

  /** Shuts it down in order, with up to 10 seconds of patience; disk and address stay. */
  async shutDown(): Promise<void> {
    await this.#container.stop({ t: 10 });
  }

  /** A reboot: an orderly shutdown, if it runs, and a start with the same disk and address. */
  async restart(): Promise<void> {
    const { State } = await this.#container.inspect();
    if (State.Running) await this.shutDown();
    await this.start();
  }

  /** Pulls its network cable. */
  async disconnect(): Promise<void> {
    const Container = this.containerName;
    await this.#docker.getNetwork(this.#host.network.name).disconnect({ Container, Force: true });
  }

  /** Plugs its network cable in again; it has the same address. */
  async connect(): Promise<void> {
    const network = this.#docker.getNetwork(this.#host.network.name);
    const EndpointConfig = endpoint(this.address);
    await network.connect({ Container: this.containerName, EndpointConfig });
  }

  /** Removes the host with its disk; repeating it does nothing. */
  async stop(): Promise<void> {
    await this.#container.remove({ force: true, v: true }).catch(ignoreMissing);
    const { volumeName } = this.#host;
    if (volumeName) await this.#docker.getVolume(volumeName).remove().catch(ignoreMissing);
  }

  /** Resolves when sshd has sent its banner and dockerd answers; after 60 seconds it throws. */
  async ready(): Promise<void> {
    const what = `lab host ${this.name} to answer`;
    const untilDocker = "until docker version >/dev/null 2>&1; do sleep 0.1; done";
    try {
      await withDeadline(what, { timeoutMs: 60_000 }, async (signal) => {
        await Promise.all([this.exec(["sh", "-c", untilDocker]), this.#untilBanner(signal)]);
      });
    } catch (thrown) {
      const logs = ["sh", "-c", "tail -n 20 /var/log/dockerd.log /var/log/sshd.log"];
      const said = await this.exec(logs).catch(() => undefined);
      throw this.#error("starting", said?.stdout ?? String(thrown));
    }
  }

  async #untilBanner(signal: AbortSignal): Promise<void> {
    while (!(await sendsBanner(this.address, this.port))) {
      signal.throwIfAborted();
      await delay(50, undefined, { signal });
    }
  }

  #error(what: string, said: string): AlError {
    return new AlError(`lab host ${this.name}: ${what} failed:\n${tail(said, 40)}`, {
      code: "lab-host-failed",
      blame: "bug",
    });
  }
}

async function sendsBanner(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: 1_000 });
  socket.once("timeout", () => socket.destroy(new Error("no banner")));
  try {
    const [data] = (await once(socket, "data")) as [Buffer];
    return data.toString("latin1").startsWith("SSH-");
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function ignoreMissing(thrown: { statusCode?: number }): void {
  if (thrown.statusCode !== 404) throw thrown;
}
