import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import ssh2, { type Connection, type ServerChannel } from "ssh2";
import { environment } from "../lab/environment.ts";
import { generateKeyPair } from "../lab/keys.ts";
import { startSimulatedEngine } from "./simulated-engine.ts";

/** One pretended host. */
export interface SimulatedHost {
  readonly port: number;
  readonly hostKey: string;
  close(): void;
}

/** What a pretended host is made of. */
export interface SimulatedHostOptions {
  /** Its home directory, made when missing; every byte it is sent lies below. */
  readonly home: string;
  readonly project: string;
  readonly presentLayers: readonly string[];
}

const DOCKER_SOCKET = "/var/run/docker.sock";

/**
 * An SSH server on loopback that really runs what it is told to, as the user we are, in a home of
 * its own, with a simulated Docker engine behind the usual socket. It lets anybody in.
 */
export async function startSimulatedHost(options: SimulatedHostOptions): Promise<SimulatedHost> {
  const { home, project, presentLayers } = options;
  await mkdir(home, { recursive: true });
  const socketPath = join(home, "docker.sock");
  const projectDir = join(home, ".action-llama/projects", project);
  const engine = await startSimulatedEngine({ socketPath, projectDir, presentLayers });
  const key = generateKeyPair();
  const server = new ssh2.Server({ hostKeys: [key.privateKey] }, (client) => {
    client.on("error", () => {});
    client.on("authentication", (attempt) => attempt.accept());
    client.on("ready", () => serve(client, { home, socketPath }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: key.publicKey,
    close() {
      server.close();
      engine.close();
      engine.closeAllConnections();
    },
  };
}

interface Place {
  readonly home: string;
  readonly socketPath: string;
}

function serve(client: Connection, { home, socketPath }: Place): void {
  client.on("session", (acceptSession) => {
    acceptSession().on("exec", (accept, _reject, { command }) => {
      run(accept(), command.replaceAll(DOCKER_SOCKET, socketPath), home);
    });
  });
  client.on("openssh.streamlocal", (accept, _reject) => {
    const channel = accept();
    const socket = connect(socketPath);
    socket.on("error", () => channel.close());
    channel.on("error", () => {});
    socket.pipe(channel).pipe(socket);
  });
}

function run(channel: ServerChannel, command: string, home: string): void {
  const { PATH = "" } = environment;
  const child = spawn("sh", ["-c", command], { cwd: home, env: { PATH, HOME: home } });
  channel.on("error", () => {});
  child.stdin.on("error", () => {});
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  channel.on("close", () => child.kill("SIGKILL"));
  child.on("close", (code) => {
    channel.exit(code ?? 255);
    channel.end();
  });
}
