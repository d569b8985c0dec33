import { stderr } from "node:process";
import { cleanLab } from "./clean.ts";
import { currentRun } from "./names.ts";
import { setUpLab } from "./set-up.ts";

/** Vitest's hook around all tests that need hosts; returns what runs after them. */
export async function setup(): Promise<() => Promise<void>> {
  currentRun();
  const { engine } = await setUpLab({ log: (line) => stderr.write(`lab: ${line}\n`) });
  await cleanLab(engine);
  return () => cleanLab(engine);
}
