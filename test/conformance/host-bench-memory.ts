import { LABELS } from "../../src/core/names.ts";
import { createFaults } from "../memory-host/faults.ts";
import {
  createMachine,
  foreignState,
  type Machine,
  type MemoryProject,
  projectOn,
} from "../memory-host/machine.ts";
import { memoryHosts } from "../memory-host/memory-hosts.ts";
import { addressOf, hostSpec, recipesOf } from "../memory-host/specs.ts";
import { addForeignThings } from "../memory-host/tamper.ts";
import type { HostBench, Meddling, Seen, SeenFile } from "./host-bench.ts";

const PROJECT = "acme";
const SINGLE = {
  "credential.key": "key",
  "current.json": "current",
  "applied.json": "inventory",
  "stopped.json": "stopped",
} as const;

/** A machine in memory: the one that the properties of the reconciler run on. */
export async function memoryBench(): Promise<HostBench> {
  const machine = createMachine("web-1");
  const values: HostBench["values"] = new Map();
  const faults = createFaults();
  const hosts = memoryHosts({ machines: [machine], read: (path) => values.get(path), faults });
  const connect = () => hosts.connect(addressOf(), { fingerprint: machine.hostKey });
  return {
    ...{ project: PROJECT, host: machine.host, values, connect },
    async connectCut({ at, when }) {
      const session = await connect();
      let calls = 0;
      return {
        session: {
          ...session,
          async carryOut(step, context) {
            try {
              return await session.carryOut(step, context);
            } finally {
              calls = faults.calls.length;
              faults.arm();
            }
          },
        },
        arm: () => faults.arm([{ at, kind: when === "during" ? "lost" : "lost-after" }]),
        effects: () => calls,
      };
    },
    spec: (words) => hostSpec(words),
    recipes: recipesOf,
    look: async () => look(machine),
    meddle: meddling(machine),
    addForeign: async () => addForeignThings(machine),
    foreign: async () => foreignState(machine, PROJECT),
    close: async () => {},
  };
}

function look(machine: Machine): Seen {
  const project = machine.projects.get(PROJECT);
  const own = [...machine.containers].filter(
    ([name, { labels }]) => labels[LABELS.project] === PROJECT || name.includes(PROJECT),
  );
  return {
    files: project ? filesOf(project) : new Map(),
    containers: Object.fromEntries(own.map(([name, { state }]) => [name, state])),
    images: [...machine.images.keys()].filter((one) => one.startsWith(`al-${PROJECT}/`)).sort(),
    subnet: machine.networks.get(`al-${PROJECT}`)?.subnet,
  };
}

/** Files in memory have no modes: they show the right one. */
function filesOf(project: MemoryProject): Map<string, SeenFile> {
  const files = new Map<string, SeenFile>();
  const add = (path: string, text: string) => files.set(path, { text, mode: "600" });
  for (const [path, name] of Object.entries(SINGLE)) {
    const text = project[name];
    if (text !== undefined) add(path, text);
  }
  for (const kind of ["releases", "credentials"] as const) {
    for (const [hash, tree] of project[kind]) {
      for (const [path, content] of tree) add(`${kind}/${hash}/${path}`, content.toString());
    }
  }
  return files;
}

function meddling(machine: Machine): Meddling {
  const { containers, images, networks } = machine;
  const treeOf = (path: string): [Map<string, string | Buffer> | undefined, string] => {
    const [kind = "", hash = "", ...rest] = path.split("/");
    const trees = projectOn(machine, PROJECT)[kind as "releases"];
    return [trees?.get(hash), rest.join("/")];
  };
  return {
    async writeFile(path, text) {
      const [tree, inner] = treeOf(path);
      const single = SINGLE[path as keyof typeof SINGLE];
      if (single) projectOn(machine, PROJECT)[single] = text;
      else if (path.includes(".tmp-")) projectOn(machine, PROJECT).temporary.add(path);
      else tree?.set(inner, path.startsWith("credentials/") ? Buffer.from(text) : text);
    },
    async removeFile(path) {
      const single = SINGLE[path as keyof typeof SINGLE];
      if (single) projectOn(machine, PROJECT)[single] = undefined;
      const [tree, inner] = treeOf(path);
      tree?.delete(inner);
    },
    async blockCurrent(work) {
      const files = projectOn(machine, PROJECT);
      files.blocked = "current";
      await work().finally(() => {
        files.blocked = undefined;
      });
    },
    async retagImage(reference) {
      images.set(reference, { [LABELS.project]: PROJECT, [LABELS.specHash]: "e".repeat(64) });
    },
    async takeImage(reference) {
      images.set(reference, { [LABELS.project]: "other", [LABELS.specHash]: "f".repeat(64) });
    },
    async removeImage(reference) {
      images.delete(reference);
    },
    async useImage(image, name) {
      containers.set(name, { image, labels: {}, state: "created" });
    },
    async takeContainer(name) {
      const labels = { [LABELS.project]: "other" };
      containers.set(name, { image: "al-other/runtime:1", labels, state: "created" });
    },
    async removeContainer(name) {
      containers.delete(name);
    },
    async takeNetwork(name) {
      const subnet = { subnet: "10.214.1.0/24", gateway: "10.214.1.1" };
      networks.set(name, { name, bridge: "taken", labels: {}, ...subnet });
    },
    async removeNetwork(name) {
      networks.delete(name);
    },
  };
}
