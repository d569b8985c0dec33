import { randomBytes } from "node:crypto";
import { Secret } from "../../src/base/secret.ts";
import type { ContainerSpec } from "../../src/docker/container-spec.ts";
import type { DockerClient } from "../../src/docker/docker-client.ts";
import type { OutputChunk } from "../../src/docker/output-frames.ts";
import { connectSsh } from "../../src/transport/ssh.ts";
import type { Transport } from "../../src/transport/transport.ts";
import type { LabHost } from "../lab/lab-host.ts";

/** An SSH connection to a lab host, its key pinned. */
export function connectTo(host: LabHost): Promise<Transport> {
  return connectSsh({
    host: host.name,
    address: host.address,
    port: host.port,
    user: host.user,
    privateKey: new Secret(host.privateKey),
    hostKey: { kind: "pinned", fingerprints: [host.hostKeyFingerprint] },
  });
}

/** A name no other run of the suite uses. */
export function uniqueName(prefix: string): string {
  return `al-${prefix}-${randomBytes(4).toString("hex")}`;
}

/** An engine under test, and the containers of one test file on it. */
export class EngineUnderTest {
  readonly docker: DockerClient;
  readonly image: string;
  /** Starts every name, and is the project label of everything. */
  readonly project: string;

  constructor(docker: DockerClient, image: string, project: string) {
    this.docker = docker;
    this.image = image;
    this.project = project;
  }

  get labels(): Record<string, string> {
    return { "action-llama.project": this.project };
  }

  name(suffix: string): string {
    return `${this.project}-${suffix}`;
  }

  /** A container that runs a shell script, without a network. */
  spec(suffix: string, script: string): ContainerSpec {
    return {
      name: this.name(suffix),
      image: this.image,
      labels: { ...this.labels, suffix },
      argv: ["sh", "-c", script],
      network: "none",
    };
  }

  /** Creates and starts such a container; returns its name. */
  async run(suffix: string, script: string): Promise<string> {
    const spec = this.spec(suffix, script);
    await this.docker.createContainer(spec);
    await this.docker.startContainer(spec.name);
    return spec.name;
  }

  /** Removes everything of the project, and closes the client. */
  async clean(): Promise<void> {
    const { docker, labels } = this;
    for (const { name } of await docker.listContainers(labels)) {
      await docker.removeContainer(name, { force: true, volumes: true });
    }
    for (const { name } of await docker.listVolumes(labels)) await docker.removeVolume(name);
    for (const { name } of await docker.listNetworks(labels)) await docker.removeNetwork(name);
    for (const { id, references } of await docker.listImages(labels)) {
      for (const name of references.length > 0 ? references : [id]) await docker.removeImage(name);
    }
    docker.close();
  }
}

/** All output of a container. */
export async function read(logs: AsyncIterable<OutputChunk>) {
  const found = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for await (const { stream, bytes } of logs) found[stream].push(bytes);
  return { stdout: Buffer.concat(found.stdout), stderr: Buffer.concat(found.stderr) };
}
