import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { environment } from "../lab/environment.ts";

/** Engines the host port must have been tested on; the closing lines of the suite name each. */
export const ENGINES = [
  "in memory",
  "local",
  "bookworm",
  "trixie",
  "testing",
  "testing-containerd",
] as const;

/** One of them. */
export type EngineName = (typeof ENGINES)[number];

/** The directory in which test files say what each engine is, for the closing lines. */
export const ENGINES_VARIABLE = "AL_ENGINES_DIRECTORY";

/** The title of a group of tests that run on an engine; {@link countEngines} finds it again. */
export function onEngine(name: EngineName): string {
  return `on engine ${name}`;
}

/** Says what an engine is, as itself tells: `docker 20.10.24 (classic, ssh)`. */
export async function describeEngine(name: EngineName, text: string): Promise<void> {
  const directory = environment[ENGINES_VARIABLE];
  if (directory === undefined) return;
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, name), text);
}

/** A passed or failed test, by the titles of its groups. */
export interface FinishedTest {
  readonly status: string;
  readonly ancestorTitles: readonly string[];
}

/** One closing line per engine, and how many of the engines were missed. */
export async function countEngines(
  directory: string,
  tests: readonly FinishedTest[],
): Promise<{ readonly lines: readonly string[]; readonly missing: number }> {
  const present = new Set(await readdir(directory).catch(() => []));
  const lines: string[] = [];
  let missing = 0;
  for (const name of ENGINES) {
    const title = onEngine(name);
    const ran = tests.filter(
      ({ status, ancestorTitles }) => status === "passed" && ancestorTitles.includes(title),
    );
    if (ran.length > 0 && present.has(name)) {
      const text = await readFile(join(directory, name), "utf8");
      lines.push(`engine ${name}: ${text}: ${ran.length} tests`);
    } else {
      missing += 1;
      lines.push(`FAILED: engine ${name}: no test ran on it`);
    }
  }
  return { lines, missing };
}
