import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AlError } from "../base/errors.ts";
import { ReleasedAgent, ReleasedProject } from "../core/released.ts";

/** A release's own files, read and checked. */
export interface Release {
  readonly project: ReleasedProject;
  /** By name, in the release's order. */
  readonly agents: ReadonlyMap<string, ReleasedAgent>;
}

/**
 * Reads a release by its hash.
 * @throws AlError `release-unreadable` (terminal), naming the file.
 */
export async function readRelease(projectDir: string, hash: string): Promise<Release> {
  const directory = releaseDirectory(projectDir, hash);
  const project = await readJson(join(directory, "project.json"), ReleasedProject);
  const agents = await Promise.all(
    project.agents.map((name) =>
      readJson(join(directory, "agents", name, "agent.json"), ReleasedAgent),
    ),
  );
  return { project, agents: new Map(agents.map((agent) => [agent.name, agent])) };
}

/** The text of an agent's ACTIONS.md in a release. */
export async function readInstructions(
  projectDir: string,
  { release, agent }: { readonly release: string; readonly agent: string },
): Promise<string> {
  const path = join(releaseDirectory(projectDir, release), "agents", agent, "ACTIONS.md");
  return readFile(path, "utf8").catch((cause) => {
    throw unreadable(path, cause);
  });
}

/** Reads releases, and remembers the last one: a hash never changes its meaning. */
export function releaseReader(projectDir: string): (hash: string) => Promise<Release> {
  let last: { readonly hash: string; readonly release: Release } | undefined;
  return async (hash) => {
    if (last?.hash !== hash) last = { hash, release: await readRelease(projectDir, hash) };
    return last.release;
  };
}

function releaseDirectory(projectDir: string, hash: string): string {
  return join(projectDir, "releases", hash);
}

async function readJson<T>(path: string, schema: { parse(value: unknown): T }): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): AlError {
  return new AlError(`${path} cannot be read: ${(cause as Error).message}`, {
    code: "release-unreadable",
    blame: "terminal",
    hint: "Apply again, which writes the release anew: al apply",
    cause,
  });
}
