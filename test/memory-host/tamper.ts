import { Secret } from "../../src/base/secret.ts";
import type { ContainerFacts } from "../../src/core/container-facts.ts";
import { sha256 } from "../../src/core/fingerprint.ts";
import { LABELS } from "../../src/core/names.ts";
import { chooseNetwork } from "../../src/core/subnet.ts";
import type { Machine, MemoryProject } from "./machine.ts";
import type { World } from "./world.ts";

/** What people, crashes and other programs do to a host between two passes. */
export const TAMPERINGS = {
  "a release is gone": ({ files }) => deleteFirst(files.releases),
  "a release's file is altered": ({ files }) => {
    files.releases.values().next().value?.set("project.json", "altered");
  },
  "a release has a file too many": ({ files }) => {
    files.releases.values().next().value?.set("agents/extra/ACTIONS.md", "extra");
  },
  "a release holds a symbolic link": ({ files }) => {
    for (const hash of files.releases.keys()) {
      files.oddities.set(`releases/${hash}`, "x is not a regular file");
    }
  },
  "a release of nobody lies there": ({ files }) => {
    files.releases.set("f".repeat(64), new Map([["a", "b"]]));
  },
  "a credential set is gone": ({ files }) => deleteFirst(files.credentials),
  "a credential's file is altered": ({ files }) => {
    const set = files.credentials.values().next().value;
    for (const path of set?.keys() ?? []) set?.set(path, Buffer.from("altered"));
  },
  "a credential set holds a symbolic link": ({ files }) => {
    for (const hash of files.credentials.keys()) {
      files.oddities.set(`credentials/${hash}`, "x is not a regular file");
    }
  },
  "a credential was rotated": ({ world }) => {
    for (const path of world.values.keys()) world.values.set(path, new Secret(`${SECRET}-rotated`));
  },
  "the key of the versions is gone": ({ files }) => {
    files.key = undefined;
  },
  "the key of the versions is another": ({ files }) => {
    files.key = sha256("another key");
  },
  "an image is gone": ({ machine }) => {
    const used = new Set([...machine.containers.values()].map(({ image }) => image));
    const own = ownImages(machine).find((reference) => !used.has(reference));
    if (own !== undefined) machine.images.delete(own);
  },
  "another image carries a name of ours": ({ machine }) => {
    const own = ownImages(machine)[0];
    if (own !== undefined)
      machine.images.set(own, { ...machine.images.get(own), [LABELS.specHash]: sha256("another") });
  },
  "the network is gone, which took the runtime down": ({ machine }) => {
    machine.networks.delete("al-acme");
    stopRuntimes(machine, "exited");
    stopDoors(machine, "exited");
    stopIngresses(machine, "exited");
  },
  "the runtime is stopped": ({ machine }) => stopRuntimes(machine, "exited"),
  "the runtime is removed": ({ machine }) => {
    for (const name of runtimes(machine)) machine.containers.delete(name);
  },
  "the runtime is paused": ({ machine }) => stopRuntimes(machine, "paused"),
  "the runtime is dead": ({ machine }) => stopRuntimes(machine, "dead"),
  "the runtime's restart policy was changed": ({ machine }) => alter(machine, { restart: "no" }),
  "the runtime was made anew from another image": ({ machine }) =>
    alter(machine, { imageSpecHash: "" }),
  "the runtime was given one more mount": ({ machine }) =>
    alter(machine, { mounts: "bind /:/host" }),
  "the door is stopped": ({ machine }) => stopDoors(machine, "exited"),
  "the door is removed": ({ machine }) => {
    for (const name of standing(machine, "door")) machine.containers.delete(name);
  },
  "the door is paused": ({ machine }) => stopDoors(machine, "paused"),
  "the door was given one more mount": ({ machine }) =>
    alter(machine, { mounts: "bind /:/host" }, "door"),
  "the door's directory is gone": ({ files }) => {
    files.hasDoorDirectory = false;
  },
  "the ingress is stopped": ({ machine }) => stopIngresses(machine, "exited"),
  "the ingress is removed": ({ machine }) => {
    for (const name of standing(machine, "ingress")) machine.containers.delete(name);
  },
  "the ingress is published elsewhere": ({ machine }) =>
    alter(machine, { ports: ":80->8080, :8443->8443" }, "ingress"),
  "the ingress was given other arguments": ({ machine }) =>
    alter(machine, { command: '[["{}"]]' }, "ingress"),
  "the runtime was given other variables": ({ machine }) =>
    alter(machine, { environment: "NODE_OPTIONS=--inspect" }),
  "the ingress's directory is gone": ({ files }) => {
    files.hasIngressDirectory = false;
  },
  "the ingress's certificates are gone": ({ files }) => files.certificates.clear(),
  "the runtime is of a time without doors": ({ machine, files }) => withoutDoor(machine, files),
  "the network was made anew": ({ machine }) => {
    const own = machine.networks.get("al-acme");
    if (own) machine.networks.set("al-acme", { ...own });
    stopRuntimes(machine, "exited");
    stopDoors(machine, "exited");
    stopIngresses(machine, "exited");
  },
  "the network lets containers talk": ({ machine }) => {
    const own = machine.networks.get("al-acme");
    if (!own) return;
    const made = { ...own, betweenContainers: true };
    machine.networks.set("al-acme", made);
    for (const container of machine.containers.values()) {
      if (container.network === "al-acme") container.joined = made;
    }
  },
  "the network's rules are gone": ({ machine }) => {
    machine.rules = "missing";
  },
  "strangers' files lie there": ({ files }) => {
    files.strangers?.add("notes.txt").add("releases/mine");
  },
  "a stranger's container is in the network": ({ machine }) => {
    if (!machine.networks.has("al-acme")) return;
    const stranger = { image: "nginx:1", labels: {}, network: "al-acme", state: "running" };
    machine.containers.set("stranger", stranger);
  },
  "current.json is gone": ({ files }) => {
    files.current = undefined;
  },
  "current.json is damaged": ({ files }) => {
    files.current = '{"project":"acme"';
  },
  "the inventory is gone": ({ files }) => {
    files.inventory = undefined;
  },
  "the inventory lists what is gone": ({ files }) => {
    const gone = { kind: "release", id: "e".repeat(64) };
    const items = files.inventory === undefined ? [] : JSON.parse(files.inventory).items;
    files.inventory = JSON.stringify({ items: [...items, gone] });
  },
  "a write was interrupted": ({ files }) => {
    files.temporary.add("releases/.tmp-b").add(".tmp-a");
  },
  "a run goes on": ({ machine }) => {
    const own = ownImages(machine);
    const image = own.findLast((reference) => reference.includes("/agent-")) ?? own.at(-1);
    const labels = { [LABELS.project]: "acme", [LABELS.role]: "run", [LABELS.run]: "r1" };
    if (image) machine.containers.set("al-acme-run-r1", { image, labels, state: "running" });
  },
} satisfies Record<string, (at: Place) => void>;

/** The name of one tampering. */
export type Tampering = keyof typeof TAMPERINGS;

/** How every credential value of the tests starts. */
export const SECRET = "tell-nobody";

interface Place {
  readonly world: World;
  readonly machine: Machine;
  readonly files: MemoryProject;
}

/** Does these things to the project `acme` on the world's first machine, where it is deployed. */
export function tamper(world: World, tamperings: readonly Tampering[]): void {
  const { machine } = world;
  const files = machine.projects.get("acme");
  if (!files) return;
  for (const name of tamperings) TAMPERINGS[name]({ world, machine, files });
}

/** Puts things on a machine that are not ours: they must survive everything. */
export function addForeignThings(machine: Machine): void {
  const other = { [LABELS.project]: "other", [LABELS.role]: "runtime" };
  // Just the subnet that acme would have taken.
  const { subnet, gateway } = chooseNetwork("acme", []);
  const network = { bridge: "br-1", subnet, gateway };
  machine.containers.set("web", { image: "nginx:1", labels: {}, state: "running" });
  machine.containers.set("al-other-runtime-1", {
    image: "al-other/runtime:1",
    labels: other,
    state: "running",
    network: "al-other",
  });
  machine.images.set("nginx:1", {});
  machine.images.set("al-other/runtime:1", { [LABELS.specHash]: sha256("other") });
  machine.images.set("al-acme/mine:latest", {});
  const bridge = { name: "bridge", bridge: "docker0", subnet: "172.17.0.0/16", labels: {} };
  machine.networks.set("bridge", { ...bridge, gateway: "172.17.0.1" });
  machine.networks.set("al-other", { ...network, name: "al-other", labels: other });
  machine.projects.set("other", {
    key: sha256("other"),
    current: "{}",
    inventory: undefined,
    releases: new Map([["d".repeat(64), new Map()]]),
    credentials: new Map(),
    certificates: new Set(),
    oddities: new Map(),
    temporary: new Set(["releases/.tmp-theirs"]),
  });
}

function ownImages(machine: Machine): string[] {
  return [...machine.images.keys()].filter((reference) => /^al-acme\/.*:[0-9a-f]/.test(reference));
}

function standing(machine: Machine, role: string): string[] {
  return [...machine.containers]
    .filter(([, { labels }]) => labels[LABELS.project] === "acme")
    .filter(([, { labels }]) => labels[LABELS.role] === role)
    .map(([name]) => name);
}

function runtimes(machine: Machine): string[] {
  return standing(machine, "runtime");
}

function stopRuntimes(machine: Machine, state: string): void {
  setState(machine, runtimes(machine), state);
}

function stopDoors(machine: Machine, state: string): void {
  setState(machine, standing(machine, "door"), state);
}

function stopIngresses(machine: Machine, state: string): void {
  setState(machine, standing(machine, "ingress"), state);
}

function setState(machine: Machine, names: readonly string[], state: string): void {
  for (const name of names) {
    const container = machine.containers.get(name);
    if (container) container.state = state;
  }
}

function alter(machine: Machine, facts: Partial<ContainerFacts>, role = "runtime"): void {
  for (const name of standing(machine, role)) {
    const container = machine.containers.get(name);
    if (container?.facts) container.facts = { ...container.facts, ...facts };
  }
}

/** What an `al` left whose runtimes published the port themselves. */
function withoutDoor(machine: Machine, files: MemoryProject): void {
  const [runtime] = runtimes(machine);
  const old = "al-acme-runtime-older";
  if (runtime === undefined || machine.containers.has(old)) return;
  for (const name of standing(machine, "door")) {
    const port = machine.containers.get(name)?.facts?.ports;
    const api = machine.containers.get(runtime)?.facts?.ports;
    if (port !== undefined && api !== undefined) alter(machine, { ports: `${api}, ${port}` });
    machine.containers.delete(name);
    rewrite(files, (text) => text.replaceAll(name, old));
  }
  const container = machine.containers.get(runtime);
  if (container) machine.containers.set(old, container);
  machine.containers.delete(runtime);
  rewrite(files, (text) => text.replaceAll(runtime, old).replaceAll(`"door":"${old}",`, ""));
}

function rewrite(files: MemoryProject, change: (text: string) => string): void {
  files.current &&= change(files.current);
  files.inventory &&= change(files.inventory);
}

function deleteFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
