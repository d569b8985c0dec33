import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { openImageSource } from "../../src/cli/image-source.ts";
import type { HostSpec } from "../../src/core/desired.ts";
import { chooseNetwork } from "../../src/core/subnet.ts";
import { buildImage } from "../../src/docker/build.ts";
import { deliverImage } from "../../src/docker/deliver-image.ts";
import { type DockerClient, openDocker } from "../../src/docker/docker-client.ts";
import { exportImage } from "../../src/docker/image-archive.ts";
import { type HostOptions, openHost } from "../../src/host/session.ts";
import { openLocal } from "../../src/transport/local.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { setUpLab } from "../lab/set-up.ts";
import { hostSpec } from "../memory-host/specs.ts";
import { cutTransport } from "./cut-transport.ts";
import { EngineUnderTest, uniqueName } from "./docker-support.ts";
import type { HostBench, Meddling, Seen } from "./host-bench.ts";
import { imageRecipes, specImages } from "./host-images.ts";

/** How a real host is reached, and looked at by other ways than its session. */
export interface RealHost {
  readonly host: string;
  /** How its side of a pass is opened. */
  readonly options: HostOptions;
  /** Home of the user that the session works as. */
  readonly home: string;
  connect(): Promise<Transport>;
  /** A connection that `sever` ends as a cable does. */
  connectSeverable(): Promise<{ transport: Transport; sever: () => Promise<void> }>;
  /** A client of its own to the host's engine. */
  readonly docker: DockerClient;
  /** Runs a shell script there, outside of any session; returns what it printed. */
  run(script: string, stdin?: Readable): Promise<string>;
  close(): Promise<void>;
}

/** A bench around a real host; images are built on the lab's engine. */
export async function realBench(make: (project: string) => Promise<RealHost>): Promise<HostBench> {
  const project = uniqueName("host").slice(3);
  const [lab, real, home] = await Promise.all([
    setUpLab({ log: () => undefined }),
    make(project),
    mkdtemp(join(tmpdir(), "al-host-")),
  ]);
  const { socketPath } = lab.engine;
  const values: HostBench["values"] = new Map();
  const builder = openDocker(openLocal({ host: "builder" }), { socketPath });
  const images = openImageSource({
    ...{ project, home, builders: { engine: async () => builder } },
    listed: async () => [],
  });
  const materials = { images, credential: async (path: string) => values.get(path) };
  const { options, docker } = real;
  const foreign = foreignThings(real, { project, builder, cacheDir: join(home, "foreign") });
  return {
    ...{ project, host: real.host, values },
    connect: async () => openHost(await real.connect(), materials, options),
    async connectCut(cut) {
      const { transport, sever } = await real.connectSeverable();
      const severed = cutTransport(transport, cut, sever);
      const session = openHost(severed.transport, materials, options);
      return { session, arm: severed.arm, effects: severed.effects };
    },
    spec: (words) => ({
      ...hostSpec({ ...words, project, host: real.host }),
      ...specImages(project, words),
    }),
    recipes: (spec) => imageRecipes(spec),
    look: () => look(real, project),
    meddle: meddling(real, project),
    addForeign: foreign.add,
    foreign: foreign.state,
    async close() {
      await foreign.remove();
      for (const engine of [builder, docker]) {
        for (const owner of [project, foreignProject(project)]) {
          await new EngineUnderTest({ ...engine, close: () => {} }, "", owner).clean();
        }
        engine.close();
      }
      await real.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

const directoryOf = (real: RealHost, project: string) =>
  `${real.home}/.action-llama/projects/${project}`;

async function look(real: RealHost, project: string): Promise<Seen> {
  const script = `cd ${directoryOf(real, project)} 2>/dev/null || exit 0
    find . -type f ! -name lock | while IFS= read -r f; do
      printf '%s %s %s\\n' "$(stat -c %a "$f")" "$(base64 < "$f" | tr -d '\\n')" "\${f#./}"
    done`;
  const [output, containers, images, network] = await Promise.all([
    real.run(script),
    real.docker.listContainers({}),
    real.docker.listImages({}),
    real.docker.inspectNetwork(`al-${project}`),
  ]);
  const lines = output.split("\n").filter((line) => line !== "");
  const files = lines.map((line) => {
    const [mode = "", encoded = "", ...path] = line.split(" ");
    return [path.join(" "), { mode, text: Buffer.from(encoded, "base64").toString() }] as const;
  });
  const own = containers.filter(({ name }) => name.includes(project) && !isForeign(name));
  return {
    files: new Map(files),
    containers: Object.fromEntries(own.map(({ name, state }) => [name, state])),
    images: images
      .flatMap(({ references }) => references)
      .filter((reference) => reference.startsWith(`al-${project}/`))
      .sort(),
    subnet: network?.subnets[0]?.subnet,
  };
}

const isForeign = (name: string) => name.endsWith("-foreign");

function meddling(real: RealHost, project: string): Meddling {
  const { docker } = real;
  const at = (path: string) => `'${directoryOf(real, project)}/${path}'`;
  return {
    async writeFile(path, text) {
      await real.run(`cat > ${at(path)}`, Readable.from([text]));
    },
    async removeFile(path) {
      await real.run(`rm ${at(path)}`);
    },
    async blockCurrent(work) {
      const [current, aside] = [at("current.json"), at("aside.json")];
      // Nothing can be renamed over a directory.
      await real.run(`mv ${current} ${aside} && mkdir ${current}`);
      await work().finally(() => real.run(`rmdir ${current} && mv ${aside} ${current}`));
    },
    async retagImage(reference) {
      const images = await docker.listImages({ "action-llama.project": project });
      const other = images.flatMap(({ references }) => references).find((one) => one !== reference);
      await docker.tagImage(other ?? "", reference);
    },
    async takeImage(reference) {
      const label = `-c 'LABEL action-llama.project=${foreignProject(project)}'`;
      await real.run(`tar -cT /dev/null | docker import ${label} - ${reference} >/dev/null`);
    },
    removeImage: (reference) => docker.removeImage(reference),
    async useImage(image, name) {
      await docker.createContainer({ name, image, labels: {}, network: "none" });
    },
    async takeContainer(name) {
      const image = foreignSpec(project).runtime.image;
      await docker.createContainer({ name, image, labels: {}, network: "none" });
    },
    removeContainer: (name) => docker.removeContainer(name, { force: true }),
    async takeNetwork(name) {
      await docker.createNetwork({ ...(await freeNetwork(docker, name)), labels: {} });
    },
    removeNetwork: (name) => docker.removeNetwork(name),
  };
}

/** A network with the right name and everything else its own. */
async function freeNetwork(docker: DockerClient, name: string) {
  const networks = await docker.listNetworks();
  const taken = networks.flatMap(({ subnets }) => subnets.map(({ subnet }) => subnet));
  const { subnet, gateway } = chooseNetwork(`taken ${name}`, taken);
  const bridge = `alx-${name.slice(-8)}`;
  return { name, bridge, subnet, gateway, betweenContainers: true };
}

const foreignProject = (project: string) => `${project}-foreign`;

function foreignSpec(project: string): HostSpec {
  const other = foreignProject(project);
  const words = { project: other, revision: "1", agents: {} };
  return { ...hostSpec(words), ...specImages(other, words) };
}

/** A project next door, and things without any label, one of them under our images' name. */
function foreignThings(
  real: RealHost,
  use: { readonly project: string; readonly builder: DockerClient; readonly cacheDir: string },
) {
  const { docker } = real;
  const other = foreignProject(use.project);
  const unlabelled = `al-${use.project}/mine:latest`;
  const directory = directoryOf(real, other);
  const spec = foreignSpec(use.project);
  const image = spec.runtime.image;
  const names = { container: `al-${other}`, network: `al-${other}` };
  return {
    async add() {
      const recipe = imageRecipes(spec).find((one) => one.image.reference === image);
      if (recipe) await buildImage(use.builder, recipe, { project: other });
      await deliverImage(docker, await exportImage(use.builder, image, { cacheDir: use.cacheDir }));
      const labels = { "action-llama.project": other, "action-llama.role": "runtime" };
      const network = await freeNetwork(docker, names.network);
      await docker.createNetwork({ ...network, bridge: `alf-${other.slice(5, 13)}`, labels });
      await docker.createContainer({ name: names.container, image, labels, network: "none" });
      await docker.startContainer(names.container);
      const tar = pack();
      tar.entry({ name: "theirs" }, "theirs");
      tar.finalize();
      await real.run(`docker import - ${unlabelled} >/dev/null`, Readable.from(tar));
      await real.run(
        `mkdir -p ${directory}/releases/.tmp-theirs; echo 1 > ${directory}/applied.json`,
      );
    },
    async state() {
      const files = `cd ${directory}; find . -type f -exec sha256sum {} +; find . -type d | sort; ls -ld --time-style=full-iso .`;
      return JSON.stringify([
        ...(await Promise.all([
          docker.inspectContainer(names.container),
          docker.inspectNetwork(names.network),
          docker.inspectImage(image),
          docker.inspectImage(unlabelled),
          real.run(files),
        ])),
      ]);
    },
    async remove() {
      await docker.removeImage(unlabelled).catch(() => {});
    },
  };
}
