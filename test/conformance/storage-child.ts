import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createRunStorage } from "../../src/state/run-storage.ts";
import { openSound } from "./sqlite-storage.ts";
import { perform, type Step } from "./storage-steps.ts";

// Takes the steps it is given, and writes a byte after each that is done. To be killed.

const directory = process.argv[2] ?? "";
const steps = JSON.parse(readFileSync(join(directory, "steps.json"), "utf8")) as Step[];
const storage = createRunStorage(openSound(join(directory, "state.db")));
for (const each of steps) {
  await perform(storage, each);
  writeSync(1, ".");
}
