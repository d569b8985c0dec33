import { compareText } from "../core/fingerprint.ts";
import { agentNameProblem } from "./names.ts";
import type { SourceTree } from "./ports.ts";
import type { Problem } from "./problems.ts";

/** The agents' directories of a tree. */
export interface FoundAgents {
  /** `dev` or `agents/dev`, sorted by the agent's name. */
  readonly directories: readonly string[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

const MARKER = /^((?:agents\/)?([^/.][^/]*))\/agent-config\.toml$/;
const INSTRUCTIONS = /^((?:agents\/)?([^/.][^/]*))\/ACTIONS\.md$/;

/** Finds `<name>/agent-config.toml` and `agents/<name>/agent-config.toml`. */
export function findAgents(tree: SourceTree): FoundAgents {
  const problems: Problem[] = [];
  const byName = new Map<string, string>();
  const directories: string[] = [];
  for (const { path } of tree.entries) {
    const [, directory, name] = MARKER.exec(path) ?? [];
    if (directory === undefined || name === undefined) continue;
    const message = agentNameProblem(name);
    if (message) {
      problems.push({ file: path, message });
      continue;
    }
    const other = byName.get(name);
    if (other !== undefined) {
      const both = `agent \`${name}\` is also in ${other}/`;
      problems.push({ file: path, message: both, hint: "names are unique: rename one" });
    }
    byName.set(name, directory);
    directories.push(directory);
  }
  directories.sort((a, b) => compareText(agentName(a), agentName(b)));
  return { directories, problems, warnings: withoutMarker(tree, new Set(directories)) };
}

/** The name of the agent in a directory: its last part. */
export function agentName(directory: string): string {
  return directory.slice(directory.lastIndexOf("/") + 1);
}

function withoutMarker(tree: SourceTree, agents: ReadonlySet<string>): Problem[] {
  return tree.entries.flatMap(({ path }) => {
    const directory = INSTRUCTIONS.exec(path)?.[1];
    if (directory === undefined || agents.has(directory)) return [];
    const message = "is not used: there is no agent-config.toml beside it";
    return [{ file: path, message }];
  });
}
