import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import { projectDirectory } from "../core/names.ts";
import type { Inventory } from "../core/observed.ts";
import { parseInventory } from "../host/parse-observation.ts";

/** What a project owns on this machine, where it is a host too; `home` is `~/.action-llama`. */
export async function readLocalInventory(home: string, project: string): Promise<Inventory> {
  const directory = join(dirname(home), projectDirectory(project));
  try {
    const text = await readFile(join(directory, "applied.json"), "utf8");
    return parseInventory("this machine", directory, text);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return { items: [] };
    throw thrown;
  }
}
