import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildRuntimeImages } from "../e2e/runtime-host.ts";
import { installPackages } from "../lab/base-image.ts";
import type { Log } from "../lab/cache.ts";
import { ensureDebianRoot } from "../lab/debian-root.ts";
import { connectEngine, type Engine } from "../lab/engine.ts";
import { ensureImage } from "../lab/image.ts";
import { checkoutRoot } from "../lab/names.ts";
import { setUpLab } from "../lab/set-up.ts";

/** What our agent image adds to what it is built on, in MB. */
export interface AgentImageSize {
  /** To a base like node's slim image, which lacks git, curl, jq and ssh. */
  readonly slimMb: number;
  /** To a base that has them all. */
  readonly completeMb: number;
}

/** Builds the agent image on a slim and on a complete base, and adds up its layers. */
export async function measureAgentImageSize(log: Log): Promise<AgentImageSize> {
  const { engine, baseImage } = await setUpLab({ log });
  const slim = await slimBase(engine, log);
  return {
    slimMb: await addedMb(engine, slim),
    completeMb: await addedMb(engine, baseImage),
  };
}

async function addedMb(engine: Engine, base: string): Promise<number> {
  const { agent } = await buildRuntimeImages(engine, base);
  return (await sizeMb(engine, agent)) - (await sizeMb(engine, base));
}

/** Sizes of all layers: what an engine says of a whole image differs between stores. */
async function sizeMb(engine: Engine, image: string): Promise<number> {
  const layers: { Size: number }[] = await connectEngine(engine).getImage(image).history();
  return layers.reduce((sum, { Size }) => sum + Size, 0) / 1024 ** 2;
}

/** What `node:24-slim` is, as far as matters here: Debian, node and its user. */
async function slimBase(engine: Engine, log: Log): Promise<string> {
  const root = await ensureDebianRoot(engine, "bookworm", { log });
  const asRoot = `echo 'APT::Sandbox::User "root";' > /etc/apt/apt.conf.d/90lab`;
  return ensureImage(
    connectEngine(engine),
    {
      repository: "al-lab/slim",
      label: "node",
      identity: process.version,
      dockerfile: `FROM ${root}
RUN useradd --uid 1000 --create-home --shell /bin/bash node; ${asRoot}
COPY node /usr/local/bin/node
RUN ${installPackages("libstdc++6")}
CMD ["node"]
`,
      files: async () => [{ path: "node", content: await readFile(nodePath), mode: 0o755 }],
    },
    { log },
  );
}

const nodePath = join(checkoutRoot, "node_modules/node/bin/node");
