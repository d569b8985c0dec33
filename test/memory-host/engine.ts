import { AlError } from "../../src/base/errors.ts";
import { isStanding, LABELS } from "../../src/core/names.ts";
import type { Link } from "./link.ts";
import type { MemoryContainer, MemoryNetwork } from "./machine.ts";

/** The Docker calls that steps make, with Docker's own refusals. */
export interface Engine {
  loadImage(reference: string, labels: Readonly<Record<string, string>>): Promise<void>;
  removeImage(reference: string): Promise<void>;
  /** Does nothing when the name is taken, whatever holds it. */
  createNetwork(network: MemoryNetwork): Promise<void>;
  removeNetwork(name: string): Promise<void>;
  networkLabels(name: string): Promise<Labels | undefined>;
  /** Does nothing when the name is taken, whatever holds it. */
  createContainer(name: string, container: MemoryContainer): Promise<void>;
  startContainer(name: string): Promise<void>;
  stopContainer(name: string): Promise<void>;
  removeContainer(name: string): Promise<void>;
  containerLabels(name: string): Promise<Labels | undefined>;
  imageLabels(reference: string): Promise<Labels | undefined>;
  /** What the live runtime does when it is asked to put the rules back. */
  restoreRules(): Promise<void>;
  /** What a one-shot container does, made from an image of the project. */
  removeRules(project: string, image: string): Promise<void>;
  /** Removes the project's containers of runs and one-shot containers that do not run. */
  clearRuns(project: string): Promise<void>;
  /** Runtimes and doors of a project that are not exited. */
  standing(project: string): Promise<readonly { readonly name: string; readonly state: string }[]>;
}

type Labels = Readonly<Record<string, string>>;

/** The engine at the other end of a link. */
export function engineOf(link: Link): Engine {
  return { ...imageCalls(link), ...networkCalls(link), ...containerCalls(link) };
}

function imageCalls({ machine, call }: Link) {
  return {
    loadImage: (reference: string, labels: Labels) =>
      call(`load ${reference}`, () => void machine.images.set(reference, labels)),
    removeImage: (reference: string) =>
      call(`remove image ${reference}`, () => {
        const user = [...machine.containers].find(([, { image }]) => image === reference);
        if (machine.images.has(reference) && user) throw conflict(`image is used by ${user[0]}`);
        machine.images.delete(reference);
      }),
    imageLabels: (reference: string) =>
      call(`inspect ${reference}`, () => machine.images.get(reference)),
    restoreRules: () =>
      call("restore rules", () => {
        machine.rules = "in-place";
      }),
    removeRules: (project: string, image: string) =>
      call("remove rules", () => {
        if (!machine.images.has(image)) throw notFound(`no image ${image}`);
        machine.ruled.delete(project);
      }),
  };
}

function networkCalls({ machine, call }: Link) {
  return {
    createNetwork: (network: MemoryNetwork) =>
      call(`create network ${network.name}`, () => {
        if (machine.networks.has(network.name)) return;
        const taken = [...machine.networks.values()].some(
          ({ subnet }) => subnet === network.subnet,
        );
        if (taken) throw failed("Pool overlaps with other one on this address space");
        machine.networks.set(network.name, network);
      }),
    removeNetwork: (name: string) =>
      call(`remove network ${name}`, () => {
        const used = [...machine.containers.values()].some(
          ({ network, state }) => network === name && (state === "running" || state === "paused"),
        );
        if (used) throw conflict(`network ${name} has active endpoints`);
        machine.networks.delete(name);
      }),
    networkLabels: (name: string) =>
      call(`inspect network ${name}`, () => machine.networks.get(name)?.labels),
  };
}

function containerCalls({ machine, call }: Link) {
  const { containers } = machine;
  return {
    createContainer: (name: string, container: MemoryContainer) =>
      call(`create ${name}`, () => {
        if (containers.has(name)) return;
        if (!machine.images.has(container.image)) throw notFound(`no image ${container.image}`);
        containers.set(name, container);
      }),
    startContainer: (name: string) =>
      call(`start ${name}`, () => {
        const container = containers.get(name);
        if (!container) throw notFound(`no container ${name}`);
        if (container.network !== undefined && !machine.networks.has(container.network)) {
          throw notFound(`no network ${container.network}`);
        }
        if (container.state === "paused" || container.state === "dead") {
          throw failed(`cannot start a ${container.state} container`);
        }
        const network = machine.networks.get(container.network ?? "");
        if (container.joined && container.joined !== network) {
          throw notFound(`network of ${name} was removed`);
        }
        const wanted = publishedBy(container);
        const other = [...containers].find(
          ([otherName, another]) =>
            otherName !== name &&
            another.state === "running" &&
            publishedBy(another).some((address) => wanted.includes(address)),
        );
        if (other) throw failed(`port is already allocated by ${other[0]}`);
        // A runtime that starts puts the rules there before it is ready.
        if (container.labels[LABELS.role] === "runtime") {
          if (container.state !== "running") machine.rules = "in-place";
          machine.ruled.add(container.labels[LABELS.project] ?? "");
        }
        container.joined = network;
        container.state = staysStopped(machine, container) ? "exited" : "running";
      }),
    stopContainer: (name: string) =>
      call(`stop ${name}`, () => {
        const container = containers.get(name);
        if (container && container.state !== "created") container.state = "exited";
      }),
    removeContainer: (name: string) => call(`remove ${name}`, () => void containers.delete(name)),
    containerLabels: (name: string) => call(`inspect ${name}`, () => containers.get(name)?.labels),
    clearRuns: (project: string) =>
      call("clear runs", () => {
        for (const [name, { labels, state }] of containers) {
          const role = labels[LABELS.role] ?? "runtime";
          const isOver = !isStanding(role) && state !== "running" && state !== "paused";
          if (labels[LABELS.project] === project && isOver) containers.delete(name);
        }
      }),
    standing: (project: string) =>
      call("list standing", () =>
        [...containers]
          .filter(([, { labels }]) => labels[LABELS.project] === project)
          .filter(([, { labels, state }]) => isStanding(labels[LABELS.role]) && state !== "exited")
          .map(([name, { state }]) => ({ name, state })),
      ),
  };
}

/** Addresses of the host that a container has while it runs. */
function publishedBy({ facts }: MemoryContainer): string[] {
  return (facts?.ports ?? "").split(", ").flatMap((port) => port.split("->")[0] || []);
}

function conflict(message: string): AlError {
  return new AlError(message, { code: "docker-conflict", blame: "transient" });
}

function notFound(message: string): AlError {
  return new AlError(message, { code: "docker-not-found", blame: "transient" });
}

function failed(message: string): AlError {
  return new AlError(message, { code: "docker-failed", blame: "transient" });
}

/** A runtime that starts and finds the marker stops its own container again. */
function staysStopped({ projects }: Link["machine"], { labels }: MemoryContainer): boolean {
  const { stopped } = projects.get(labels[LABELS.project] ?? "") ?? {};
  return labels[LABELS.role] === "runtime" && stopped !== undefined;
}
