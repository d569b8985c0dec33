import { contextPaths, type UnreadableSource, unreadableSources } from "../core/build-context.ts";
import type { ContextFile } from "../core/desired.ts";
import { AGENT_BASE_IMAGE, isBareFrom } from "../core/dockerfile.ts";
import { parseDockerfile } from "../core/dockerfile-parse.ts";
import type { DockerfileInput } from "../core/project-input.ts";
import { decodeText } from "./decode-text.ts";
import { applyDockerignore } from "./docker-ignore.ts";
import type { SourceTree } from "./ports.ts";
import type { Problem } from "./problems.ts";
import { entryAt } from "./tree-paths.ts";

const MAX_DOCKERFILE_BYTES = 64 * 1024;
const MAX_CONTEXT_BYTES = 100 * 1000 * 1000;

/** A Dockerfile that asks for an image of its own, if there is one. */
export interface LoadedDockerfile {
  readonly value: DockerfileInput | undefined;
  readonly problems: readonly Problem[];
}

/** Which Dockerfile to load. */
export interface DockerfileSource {
  /** Empty for the project's own. */
  readonly directory: string;
  /** Names of our base image. */
  readonly aliases: readonly string[];
  /** Paths in the tree that enter a context only where an instruction names them. */
  readonly reserved: ReadonlySet<string>;
}

/** Reads a Dockerfile and the files its build may read; a bare FROM of our base counts as none. */
export async function loadDockerfile(
  tree: SourceTree,
  source: DockerfileSource,
): Promise<LoadedDockerfile> {
  const prefix = source.directory === "" ? "" : `${source.directory}/`;
  const path = `${prefix}Dockerfile`;
  if (!entryAt(tree, path)) return { value: undefined, problems: [] };
  const decoded = decodeText(path, await tree.read(path), MAX_DOCKERFILE_BYTES);
  if (!decoded.ok) return { value: undefined, problems: [decoded.problem] };
  const { text } = decoded;
  if (isBareFrom(text, source.aliases)) return { value: undefined, problems: [] };
  if (!parseDockerfile(text).some(({ keyword }) => keyword === "FROM")) {
    return { value: undefined, problems: [{ file: path, message: "has no FROM" }] };
  }
  const below = (all: Iterable<string>) =>
    [...all].flatMap((each) => (each.startsWith(prefix) ? [each.slice(prefix.length)] : []));
  const candidates = below(tree.entries.map((entry) => entry.path));
  const named = contextPaths(text, candidates, new Set(below(source.reserved)));
  const unreadable = unreadableSources(text, candidates);
  if (unreadable.length > 0) {
    const problems = unreadable.map((one) => unreadableProblem(path, one));
    return { value: undefined, problems };
  }
  const kept = await applyDockerignore(tree, prefix, named);
  if (kept.problems.length > 0) return { value: undefined, problems: kept.problems };
  const entries = kept.paths.flatMap((each) => entryAt(tree, prefix + each) ?? []);
  const bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
  if (bytes > MAX_CONTEXT_BYTES) {
    const message = `copies ${bytes} bytes into the image; at most ${MAX_CONTEXT_BYTES} are allowed`;
    return { value: undefined, problems: [{ file: path, message }] };
  }
  const context = await Promise.all(
    entries.map(async (entry): Promise<ContextFile> => {
      const content = await tree.read(entry.path);
      return { path: entry.path.slice(prefix.length), executable: entry.executable, content };
    }),
  );
  return { value: { path, text, context }, problems: [] };
}

function unreadableProblem(file: string, { line, source, kind }: UnreadableSource): Problem {
  if (kind === "missing") {
    return { file, line, message: `\`${source}\` is not in the Dockerfile's directory` };
  }
  const message = `\`${source}\` lies outside of the Dockerfile's directory`;
  return { file, line, message, hint: "a build reads nothing else: put a copy in there" };
}

/** The names of our base image: its usual one and config.toml's `[local] image`, each with a tag. */
export function imageAliases(localImage: string): readonly string[] {
  const name = localImage.slice(localImage.lastIndexOf("/") + 1);
  const tagged = name.includes(":") ? localImage : `${localImage}:latest`;
  return [...new Set([AGENT_BASE_IMAGE, tagged])];
}
