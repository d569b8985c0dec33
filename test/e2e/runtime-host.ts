import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { canonicalJson, type Json } from "../../src/base/canonical-json.ts";
import { Secret } from "../../src/base/secret.ts";
import { buildProject } from "../../src/build.ts";
import { sha256 } from "../../src/core/fingerprint.ts";
import { LABELS, runtimeName } from "../../src/core/names.ts";
import type { Current } from "../../src/core/observed.ts";
import { runtimeContainerSpec } from "../../src/core/runtime-container.ts";
import { networkIn } from "../../src/core/subnet.ts";
import { deliverImage } from "../../src/docker/deliver-image.ts";
import { type DockerClient, openDocker } from "../../src/docker/docker-client.ts";
import { exportImage } from "../../src/docker/image-archive.ts";
import { openControl, type RuntimeControl } from "../../src/host/control.ts";
import { writeFileAtomic, writeTree } from "../../src/transport/files.ts";
import { openLocal } from "../../src/transport/local.ts";
import { connectSsh } from "../../src/transport/ssh.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { cacheDirectory } from "../lab/cache.ts";
import { connectEngine, type Engine } from "../lab/engine.ts";
import { startHost } from "../lab/host.ts";
import type { HostKind } from "../lab/host-image.ts";
import { type ContextFile, ensureImage } from "../lab/image.ts";
import type { LabHost } from "../lab/lab-host.ts";
import { checkoutRoot } from "../lab/names.ts";
import { setUpLab } from "../lab/set-up.ts";

const log = () => undefined;
const PROJECT = "e2e";
/** The model key on the host. */
export const MODEL_KEY = "sk-lab-model-0123456789";
/** A token on the host that only agents with the credential `github_token` get. */
export const GITHUB_TOKEN = "ghp_lab_other_0123456789";
const LABELLED = { [LABELS.project]: PROJECT, [LABELS.host]: "one" };

/** A lab host with the real images, on which runtimes are deployed by hand. */
export interface RuntimeHost extends Connection {
  readonly host: LabHost;
  readonly projectDir: string;
  readonly images: { readonly agent: string; readonly runtime: string };
  /** Writes a release and a credential set, and returns what makes them live. */
  prepare(agents: readonly AgentSetup[], revision: string): Promise<Omit<Current, "runtime">>;
  /** Creates a runtime container, names it in current.json and starts it in place of `previous`. */
  deploy(current: Omit<Current, "runtime">, generation: string, previous?: string): Promise<string>;
  /** Waits until a runtime says it is ready; throws what it says instead, or its log. */
  untilReady(runtime: string): Promise<void>;
  /** After a reboot: new connections in place of the lost ones. */
  reconnect(): Promise<void>;
  close(): Promise<void>;
}

interface Connection {
  transport: Transport;
  docker: DockerClient;
  control: RuntimeControl;
}

/** An agent for the release: `agent.json` without what every agent of the test has. */
export interface AgentSetup {
  readonly agent: Readonly<Record<string, Json>> & { readonly name: string };
  readonly instructions: string;
}

/** Starts it; takes some seconds when images and host disk are cached. */
export async function startRuntimeHost(name: string, kind?: HostKind): Promise<RuntimeHost> {
  const lab = await setUpLab({ log });
  const images = await buildRuntimeImages(lab.engine, lab.baseImage);
  const options = { log, name, preload: [lab.baseImage], ...(kind && { kind }) };
  const host = await startHost(lab.engine, options);
  const connection = await connect(host);
  await deliverAll(lab.engine, connection.docker, Object.values(images));
  const home = await connection.transport.exec(["sh", "-c", 'printf %s "$HOME"']);
  const projectDir = `${home.stdout}/.action-llama/projects/${PROJECT}`;
  const network = networkIn(PROJECT, "10.213.77.0/24");
  await connection.docker.createNetwork({ ...network, labels: LABELLED, betweenContainers: false });
  const rig: RuntimeHost = {
    ...{ ...connection, host, projectDir, images },
    prepare: (agents, revision) => prepare(rig, { agents, revision, network }),
    deploy: (current, generation, previous) => deploy(rig, current, { generation, previous }),
    untilReady: (runtime) => untilReady(rig, runtime),
    async reconnect() {
      await disconnect(rig);
      Object.assign(rig, await connect(host));
    },
    async close() {
      await disconnect(rig);
      await host.stop();
    },
  };
  return rig;
}

async function connect(host: LabHost): Promise<Connection> {
  const transport = await connectSsh({
    host: "one",
    address: host.address,
    port: host.port,
    user: host.user,
    privateKey: new Secret(host.privateKey),
    hostKey: { kind: "pinned", fingerprints: [host.hostKeyFingerprint] },
  });
  const docker = openDocker(transport);
  return { transport, docker, control: openControl(docker) };
}

async function disconnect({ control, docker, transport }: Connection): Promise<void> {
  control.close();
  docker.close();
  await transport.close();
}

async function prepare(
  { transport, projectDir, images }: RuntimeHost,
  {
    agents,
    revision,
    network,
  }: {
    agents: readonly AgentSetup[];
    revision: string;
    network: Current["network"];
  },
): Promise<Omit<Current, "runtime">> {
  const names = agents.map(({ agent }) => agent.name).sort();
  const files = [
    file("project.json", {
      ...{ project: PROJECT, maxReruns: 3, workQueueSize: 10 },
      ...{ baseImage: images.agent, agents: names },
    }),
    ...agents.flatMap(({ agent, instructions }) => [
      file(`agents/${agent.name}/agent.json`, { ...agentDefaults(images.agent), ...agent }),
      file(`agents/${agent.name}/ACTIONS.md`, instructions),
    ]),
  ];
  const release = sha256(files.map(({ path, content }) => `${path}\0${content}\0`).join(""));
  await writeTree(transport, `${projectDir}/releases/${release}`, files);
  const credentials = sha256("credentials");
  const token = {
    path: "anthropic_key/default/token",
    mode: 0o600,
    content: Buffer.from(`${MODEL_KEY}\n`),
  };
  const other = {
    path: "github_token/default/token",
    mode: 0o600,
    content: Buffer.from(GITHUB_TOKEN),
  };
  await writeTree(transport, `${projectDir}/credentials/${credentials}`, [token, other]);
  return { project: PROJECT, host: "one", revision, release, credentials, network };
}

function agentDefaults(image: string): Record<string, Json> {
  return {
    image,
    credentials: ["anthropic_key"],
    scale: 1,
    timeoutSeconds: 120,
    memoryBytes: 512 * 1024 * 1024,
    cpus: 1,
    params: {},
  };
}

function file(path: string, content: Json) {
  const text = typeof content === "string" ? content : canonicalJson(content);
  return { path, mode: 0o644, content: Buffer.from(text) };
}

async function deploy(
  { transport, docker, projectDir, images }: RuntimeHost,
  current: Omit<Current, "runtime">,
  { generation, previous }: { generation: string; previous: string | undefined },
): Promise<string> {
  const specHash = sha256(generation);
  const name = runtimeName(PROJECT, specHash);
  const ids = await transport.exec(["sh", "-c", "id -u; id -g; stat -c %g /var/run/docker.sock"]);
  const [uid = 0, gid = 0, dockerGid = 0] = ids.stdout.toString().trim().split("\n").map(Number);
  const { network } = current;
  const user = { uid, gid, dockerGid, dockerSocket: docker.socketPath };
  const container = { name, image: images.runtime, specHash, projectDir, ...user };
  await docker.createContainer(runtimeContainerSpec({ ...container, network }, LABELLED));
  const named = Buffer.from(JSON.stringify({ ...current, runtime: name }));
  await writeFileAtomic(transport, `${projectDir}/current.json`, named);
  if (previous !== undefined) await docker.stopContainer(previous);
  await docker.startContainer(name);
  return name;
}

async function untilReady({ docker, control }: RuntimeHost, runtime: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  let report = await control.report(runtime);
  while (!report?.ready && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    report = await control.report(runtime);
  }
  if (!report?.ready) throw new TypeError(`${report?.reason}\n${await outputOf(docker, runtime)}`);
}

/** Everything a container printed. */
export async function outputOf(docker: DockerClient, container: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const { bytes } of docker.containerLogs(container)) chunks.push(bytes);
  return Buffer.concat(chunks).toString();
}

/** The images of agents and runtime on a base, by the tools of the lab; returns their names. */
export async function buildRuntimeImages(engine: Engine, base: string) {
  const { dist } = await buildProject();
  const tools = await filesOf(join(checkoutRoot, "docker/bin"), "docker/bin", 0o755);
  const agents = await filesOf(join(dist, "agents"), "dist/agents", 0o644);
  const runtime = await filesOf(join(dist, "runtime"), "dist/runtime", 0o644);
  return {
    agent: await build(engine, { base, name: "agent", files: [...tools, ...agents] }),
    runtime: await build(engine, { base, name: "runtime", files: runtime }),
  };
}

async function build(
  engine: Engine,
  { base, name, files }: { base: string; name: string; files: readonly ContextFile[] },
): Promise<string> {
  const source = name === "agent" ? "Dockerfile" : `${name}.Dockerfile`;
  const text = await readFile(join(checkoutRoot, "docker", source), "utf8");
  const dockerfile = text.replace(/^ARG BASE=.*$/m, `ARG BASE=${base}`);
  const hash = createHash("sha256");
  for (const { path, content } of files) hash.update(`${path}\0`).update(content);
  return ensureImage(
    connectEngine(engine),
    {
      repository: `al-lab/e2e-${name}`,
      label: "e2e",
      dockerfile,
      identity: hash.digest("hex"),
      files: async () => files,
    },
    { log },
  );
}

async function filesOf(directory: string, prefix: string, mode: number): Promise<ContextFile[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
  return Promise.all(
    paths.map(async (path) => ({
      path: `${prefix}/${path}`,
      content: await readFile(join(directory, path)),
      mode,
    })),
  );
}

async function deliverAll(
  engine: Engine,
  docker: DockerClient,
  references: readonly string[],
): Promise<void> {
  const local = openLocal({ host: "builder" });
  const builder = openDocker(local, { socketPath: engine.socketPath });
  try {
    for (const reference of references) {
      const archive = await exportImage(builder, reference, { cacheDir: cacheDirectory("export") });
      await deliverImage(docker, archive);
    }
  } finally {
    builder.close();
    await local.close();
  }
}
