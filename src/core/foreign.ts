import { printable } from "../base/printable.ts";
import { compareText } from "./fingerprint.ts";
import { networkFlaw, networkUsers } from "./network-drift.ts";
import type { Inventory, ObservedHost } from "./observed.ts";

/** What we and the runtime keep in the project's directory; SQLite adds endings of its own. */
const OWN_ENTRIES =
  /^(releases|credentials|certificates|door|ingress|logs|lock|credential\.key|(applied|current|stopped)\.json|(state\.db(\.(damaged-[0-9TZ-]+|recover(ed|ing)))?|runtime\.lock)(-(wal|shm|journal))?)$/;

/**
 * One sentence for everything that lies in our directories or runs in our network without being ours:
 * for people to see, since we never touch it. `known` is what we own.
 */
export function foreignNotes(observed: ObservedHost, known: Inventory): readonly string[] {
  const own = new Set(known.items.map(({ kind, id }) => `${kind} ${id}`));
  const isOwn = (entry: string) => {
    const [directory = "", name] = entry.split("/", 2);
    if (name === undefined) return isOwnEntry(entry);
    return own.has(`${directory === "releases" ? "release" : directory} ${name}`);
  };
  const entries = observed.entries
    .filter((entry) => !isOwn(entry))
    .map(
      (entry) => `foreign: ${printable(entry).slice(0, 200)} lies in ${observed.facts.projectDir}`,
    );
  const neighbours = observed.neighbours.map(
    (name) => `foreign: container ${name} runs in network ${observed.network?.name ?? ""}`,
  );
  return [...entries, ...neighbours].sort(compareText);
}

/** Whether we or the runtime keep an entry of this name in the project's directory. */
export function isOwnEntry(entry: string): boolean {
  return OWN_ENTRIES.test(entry);
}

/** Why a flawed network is left as it is for now; empty when it is as it should be, or replaced. */
export function networkNotes(project: string, observed: ObservedHost): readonly string[] {
  const flaw = networkFlaw(project, observed);
  const users = networkUsers(observed);
  if (flaw === undefined || users.length === 0) return [];
  const name = observed.network?.name ?? "";
  return [`network ${name} was altered (${flaw}); it stays until ${users.join(", ")} ended`];
}
