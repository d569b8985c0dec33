import { performance } from "node:perf_hooks";
import dockerignore from "@balena/dockerignore";
import { decodeText } from "./decode-text.ts";
import type { SourceTree } from "./ports.ts";
import type { Problem } from "./problems.ts";
import { hasFile } from "./tree-paths.ts";

const MAX_BYTES = 64 * 1024;
const MAX_PATTERNS = 500;
/** Patterns become regular expressions: each of these multiplies the time of one match. */
const MAX_CHOICES = 3;
const MAX_MATCHING_MS = 2000;

/** What a directory's `.dockerignore` leaves of the paths that a build would read. */
export interface KeptPaths {
  readonly paths: readonly string[];
  readonly problems: readonly Problem[];
}

/**
 * Applies the `.dockerignore` beside a Dockerfile to paths relative to it, with Docker's rules: the
 * last pattern that matches decides, `!` brings back. `Dockerfile.dockerignore` goes before it, as
 * in BuildKit.
 */
export async function applyDockerignore(
  tree: SourceTree,
  prefix: string,
  paths: readonly string[],
): Promise<KeptPaths> {
  const names = ["Dockerfile.dockerignore", ".dockerignore"].map((name) => prefix + name);
  const file = names.find((name) => hasFile(tree, name));
  if (file === undefined) return { paths, problems: [] };
  const decoded = decodeText(file, await tree.read(file), MAX_BYTES);
  if (!decoded.ok) return { paths: [], problems: [decoded.problem] };
  const lines = decoded.text.split("\n");
  const problems = lines.flatMap((text, index) => checkPattern({ file, line: index + 1 }, text));
  if (lines.filter(isPattern).length > MAX_PATTERNS) {
    problems.push({ file, message: `has more than ${MAX_PATTERNS} patterns` });
  }
  return problems.length > 0 ? { paths: [], problems } : filter(file, lines, paths);
}

function filter(file: string, lines: readonly string[], paths: readonly string[]): KeptPaths {
  const rules = dockerignore.default({ ignorecase: false }).add([...lines]);
  const deadline = performance.now() + MAX_MATCHING_MS;
  const kept: string[] = [];
  for (const path of paths) {
    if (!rules.ignores(path)) kept.push(path);
    if (performance.now() > deadline) {
      const message = "takes too long to match";
      const hint = "use fewer patterns and fewer `*`";
      return { paths: [], problems: [{ file, message, hint }] };
    }
  }
  return { paths: kept, problems: [] };
}

function isPattern(text: string): boolean {
  return text.trim() !== "" && !text.startsWith("#");
}

function checkPattern(at: { file: string; line: number }, text: string): Problem[] {
  if (!isPattern(text)) return [];
  if (text.length > 1024) return [{ ...at, message: "is longer than 1024 characters" }];
  if (choices(text) > MAX_CHOICES) {
    const hint = `at most ${MAX_CHOICES}: each \`**\`, and each \`*\` after the first between two slashes`;
    return [{ ...at, message: "has too many wildcards", hint }];
  }
  if (text.trim() === "!") return [{ ...at, message: "`!` brings nothing back" }];
  try {
    dockerignore.default({ ignorecase: false }).add([text]).ignores("x");
    return [];
  } catch {
    return [{ ...at, message: "is not a pattern", hint: "see https://docs.docker.com/build/" }];
  }
}

/** Wildcards that can match one text in several ways; a single `*` between slashes cannot. */
function choices(pattern: string): number {
  const ofPart = (part: string) => {
    const doubles = part.match(/\*{2,}/g)?.length ?? 0;
    const singles = part.replace(/\*{2,}/g, "").match(/\*/g)?.length ?? 0;
    return doubles + Math.max(0, singles - 1);
  };
  return pattern.split("/").reduce((sum, part) => sum + ofPart(part), 0);
}
