import { cp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type AlOptions, type AlResult, runAl } from "./al.ts";
import { initWorkingCopy, type WorkingCopy } from "./repository.ts";
import type { World } from "./world.ts";

/** Somebody who deploys a world's project from a home, approvals and a clone of their own. */
export interface Person {
  readonly copy: WorkingCopy;
  readonly options: AlOptions;
  /** Runs `al -p <their clone> ARGS`. */
  al(...args: string[]): Promise<AlResult>;
}

/** Somebody with an empty clone, and with the approvals and credentials given in the world so far. */
export async function createPerson(world: World, name: string): Promise<Person> {
  const root = join(dirname(world.home), name);
  const options: AlOptions = { ...world.options, home: join(root, "home") };
  await cp(world.home, options.home, { recursive: true });
  const copy = await initWorkingCopy(join(root, "work"), world.bare);
  return { copy, options, al: (...args) => runAl(["-p", copy.directory, ...args], options) };
}
