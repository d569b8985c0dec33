import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WAKE_DIRECTORY, WAKE_FILE } from "../git/wake-hook.ts";

/** The directory of a project's controller store. */
export function storeDirectory(home: string, project: string): string {
  return join(home, "controller", project);
}

/** Tells a controller on this machine that something was approved; `watchWake` hears it. */
export async function wakeController(home: string, project: string): Promise<void> {
  const directory = join(storeDirectory(home, project), WAKE_DIRECTORY);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, WAKE_FILE), "");
}
