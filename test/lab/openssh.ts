import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { type CommandResult, runCommand } from "./command.ts";
import { freePort } from "./free-port.ts";
import type { LabHost } from "./lab-host.ts";

type Target = Pick<LabHost, "address" | "port" | "user" | "privateKey" | "hostPublicKey">;

/**
 * Runs a shell command on a host with the OpenSSH client: a second opinion, apart from our ssh.
 * The host's key is pinned, and nothing of the machine's own ssh configuration is read.
 */
export async function openssh(host: Target, command: string): Promise<CommandResult> {
  const { argv, remove } = await client(host);
  try {
    return await runCommand([...argv, command]);
  } finally {
    await remove();
  }
}

/** An SSH tunnel to a port on a host's loopback. */
export interface Tunnel {
  /** Of this machine's loopback. */
  readonly port: number;
  close(): Promise<void>;
}

/** Opens a tunnel as an operator would; what listens at its end may come and go. */
export async function tunnel(host: Target, port: number): Promise<Tunnel> {
  const { argv, remove } = await client(host);
  const own = await freePort();
  const [program, ...args] = argv;
  const forward = ["-N", "-L", `127.0.0.1:${own}:127.0.0.1:${port}`];
  const child = spawn(program, [...forward, ...args], { stdio: "ignore" });
  const ended = once(child, "close");
  await untilOpen(own, ended);
  return {
    port: own,
    async close() {
      child.kill();
      await ended;
      await remove();
    },
  };
}

/** A session whose client goes on running. */
export interface Session {
  /** The first line that the command printed. */
  readonly said: string;
  /** Ends the client. */
  close(): Promise<void>;
}

/** Starts a shell command on a host and leaves it running; resolves when it has printed a line. */
export async function session(host: Target, command: string): Promise<Session> {
  const { argv, remove } = await client(host);
  const [program, ...args] = argv;
  const child = spawn(program, [...args, command], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout });
  const gone = ended.then(() => {
    throw new Error("the session ended before it said anything");
  });
  const [said] = (await Promise.race([once(lines, "line"), gone])) as [string];
  return {
    said,
    async close() {
      child.kill("SIGKILL");
      await ended;
      await remove();
    },
  };
}

async function client(host: Target) {
  const directory = await mkdtemp(join(tmpdir(), "al-lab-ssh-"));
  const [key, known] = [join(directory, "key"), join(directory, "known_hosts")];
  await writeFile(key, host.privateKey, { mode: 0o600 });
  await writeFile(known, `[${host.address}]:${host.port},${host.address} ${host.hostPublicKey}\n`);
  const argv: readonly [string, ...string[]] = [
    "ssh",
    ...["-F", "/dev/null", "-i", key, "-p", String(host.port)],
    ...["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "IdentityAgent=none"],
    ...["-o", "StrictHostKeyChecking=yes", "-o", `UserKnownHostsFile=${known}`],
    ...["-o", "GlobalKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10"],
    `${host.user}@${host.address}`,
  ];
  return { argv, remove: () => rm(directory, { recursive: true, force: true }) };
}

async function untilOpen(port: number, ended: Promise<unknown>): Promise<void> {
  const gone = ended.then(() => {
    throw new Error("the tunnel could not be opened");
  });
  const open = async () => {
    while (!(await isOpen(port))) await delay(100);
  };
  await Promise.race([open(), gone]);
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
