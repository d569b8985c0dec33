import type { CredentialNeed } from "./desired.ts";
import { compareText } from "./fingerprint.ts";
import type { ObservedHost } from "./observed.ts";
import { type CredentialFile, credentialFolder } from "./resolve-credentials.ts";

/** What becomes of one credential on a host. */
export interface CredentialChange {
  /** `type:instance`. */
  readonly credential: string;
  readonly change: "new" | "rotated" | "removed" | "unchanged";
  /** Names of the agents there that have it; none of one that is removed. */
  readonly agents: readonly string[];
  /** True where this controller enforces at least one field; else it is kept as on the host. */
  readonly held: boolean;
}

/** How a new credential set differs from the live one, sorted by credential. */
export function credentialChanges(
  needs: readonly CredentialNeed[],
  observed: ObservedHost,
  files: readonly CredentialFile[],
): readonly CredentialChange[] {
  const live = observed.credentialSets.find(({ name }) => name === observed.current?.credentials);
  const before = versionsByFolder(live?.files ?? []);
  const after = versionsByFolder(files);
  const wanted = needs.map((need): CredentialChange => {
    const folder = credentialFolder(need);
    const own = files.filter(({ path }) => path.startsWith(folder));
    return {
      credential: `${need.type}:${need.instance}`,
      change: compare(before.get(folder), after.get(folder)),
      agents: need.agents,
      held: own.some(({ carriedFrom }) => carriedFrom === undefined),
    };
  });
  const folders = new Set(needs.map(credentialFolder));
  const removed = [...before.keys()]
    .filter((folder) => !folders.has(folder))
    .map((folder): CredentialChange => {
      const credential = folder.slice(0, -1).replace("/", ":");
      return { credential, change: "removed", agents: [], held: false };
    });
  return [...wanted, ...removed].sort((a, b) => compareText(a.credential, b.credential));
}

function compare(before: string | undefined, after: string | undefined) {
  if (before === undefined) return "new";
  return before === after ? "unchanged" : "rotated";
}

/** `type/instance/` to one text of all its fields and versions. */
function versionsByFolder(files: readonly CredentialFile[]): ReadonlyMap<string, string> {
  const folders = new Map<string, string>();
  for (const { path, hash } of [...files].sort((a, b) => compareText(a.path, b.path))) {
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    folders.set(folder, `${folders.get(folder) ?? ""}${path} ${hash}\n`);
  }
  return folders;
}
