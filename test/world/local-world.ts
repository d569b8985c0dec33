import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeRulesScript } from "../../src/host/remove-rules.ts";
import type { Log } from "../lab/cache.ts";
import { mustRun } from "../lab/command.ts";
import { connectEngine } from "../lab/engine.ts";
import { checkoutId } from "../lab/names.ts";
import { type Lab, setUpLab } from "../lab/set-up.ts";
import { type AlOptions, type AlResult, runAl } from "./al.ts";
import { initWorkingCopy, type WorkingCopy } from "./repository.ts";

/** A person's machine with `al` and Docker, and a home directory with nothing in it. */
export interface LocalWorld {
  readonly lab: Lab;
  readonly root: string;
  readonly home: string;
  readonly options: AlOptions;
  /**
   * A checkout in a new directory, whose name is the project's without a fleet.toml. All checkouts share
   * one engine, so theirs is part of the name; what a killed test left of it is removed first.
   */
  checkout(word: string): Promise<LocalProject>;
  /** Removes all of it: everything with the label of its projects, their images, their network rules. */
  remove(): Promise<void>;
}

/** A checkout on that machine. */
export interface LocalProject extends WorkingCopy {
  readonly name: string;
  /** Where its deployment lies. */
  readonly deployed: string;
  /** Runs `al -p <checkout> ARGS`. */
  al(...args: string[]): Promise<AlResult>;
}

/** Makes a world on this machine's own engine. */
export async function createLocalWorld(log: Log): Promise<LocalWorld> {
  const lab = await setUpLab({ log });
  const root = await mkdtemp(join(tmpdir(), "al-local-"));
  const home = join(root, "home");
  const options: AlOptions = { home, dockerSocket: lab.engine.socketPath };
  const names = new Set<string>();
  return {
    lab,
    root,
    home,
    options,
    async checkout(word) {
      const name = `${word}-${checkoutId}`;
      for (const own of [name, `${name}_dev`]) {
        names.add(own);
        await removeProject(lab, own);
      }
      const copy = await initWorkingCopy(join(root, name), join(root, `${name}.git`));
      return {
        ...copy,
        name,
        deployed: join(home, ".action-llama/projects", name),
        al: (...args) => runAl(["-p", copy.directory, ...args], options),
      };
    },
    async remove() {
      for (const name of names) await removeProject(lab, name);
      await rm(root, { recursive: true, force: true });
    },
  };
}

/**
 * Names of what an engine has with a project's label, by kind; the engine is asked, not `al`. Images of one
 * second come in any order, so they are sorted.
 */
export async function objectsOf(lab: Lab, project: string) {
  const docker = connectEngine(lab.engine);
  const filters = { label: [`action-llama.project=${project}`] };
  const [containers, networks, { Volumes }, images] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
    docker.listImages({ filters: { reference: [`al-${project}/*`] } }),
  ]);
  return {
    containers: containers.map(({ Id, Names, State }) => ({ Id, name: Names[0], state: State })),
    networks: networks.map(({ Name }) => Name),
    volumes: Volumes.map(({ Name }) => Name),
    images: images.flatMap(({ RepoTags }) => RepoTags ?? []).sort(),
  };
}

async function removeProject(lab: Lab, project: string): Promise<void> {
  const docker = connectEngine(lab.engine);
  const found = await objectsOf(lab, project);
  for (const { Id } of found.containers) {
    await docker.getContainer(Id).remove({ force: true, v: true });
  }
  for (const name of found.volumes) await docker.getVolume(name).remove();
  for (const name of found.networks) await docker.getNetwork(name).remove();
  for (const name of found.images) await docker.getImage(name).remove({ force: true });
  await mustRun(["sh", "-c", removeRulesScript(project)]);
}
