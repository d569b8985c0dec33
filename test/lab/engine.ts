import { platform } from "node:process";
import Docker from "dockerode";
import { AlError } from "../../src/base/errors.ts";
import type { SetupOptions } from "./cache.ts";
import { environment } from "./environment.ts";
import { ownSocketPath, startOwnEngine } from "./own-engine.ts";

/** A Docker engine of this machine that builds the lab's images and runs its hosts. */
export interface Engine {
  readonly socketPath: string;
  /** `20.10.24+dfsg1`. */
  readonly version: string;
  /** True for the dockerd that the lab started itself. */
  readonly own: boolean;
}

/** A client for an engine of this machine. */
export function connectEngine(engine: Pick<Engine, "socketPath">): Docker {
  return new Docker({ socketPath: engine.socketPath });
}

/**
 * A working engine: the machine's own where one answers, else the lab's, installed and started.
 * The lab's dockerd outlives this process and is shared by all checkouts of the machine.
 * @throws AlError `lab-no-engine` saying what is missing.
 */
export async function ensureEngine(options: SetupOptions): Promise<Engine> {
  if (platform !== "linux") throw new AlError("the lab runs on Linux only", noEngine);
  return (
    (await findEngine()) ??
    (await startOwnEngine(options, findEngine)) ??
    Promise.reject(new AlError("the lab's dockerd does not answer", noEngine))
  );
}

const noEngine = {
  code: "lab-no-engine",
  blame: "user",
  hint: "Start Docker on this machine, or run as root on Debian.",
} as const;

/** The first engine that answers: DOCKER_HOST's, the machine's, the lab's own; or undefined. */
export async function findEngine(): Promise<Engine | undefined> {
  const given = environment.DOCKER_HOST;
  const paths = [
    ...(given?.startsWith("unix://") ? [given.slice("unix://".length)] : []),
    "/var/run/docker.sock",
    ownSocketPath(),
  ];
  for (const socketPath of paths) {
    const version = await versionOf(socketPath);
    if (version) return { socketPath, version, own: socketPath === ownSocketPath() };
  }
  return undefined;
}

/** A dockerd that hangs counts as absent after 10 seconds. */
async function versionOf(socketPath: string): Promise<string | undefined> {
  const client = new Docker({ socketPath, timeout: 10_000 });
  return client.version().then(
    ({ Version }) => Version,
    () => undefined,
  );
}
