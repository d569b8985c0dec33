import { AlError } from "../base/errors.ts";
import type { Machine } from "../core/machine.ts";
import { isName } from "../core/names.ts";

/** Whose a machine is: a host of a project, and which attempt made it. */
export interface MachineOwner {
  readonly project: string;
  readonly host: string;
  readonly nonce: string;
}

const PREFIXES = { project: "al-project-", host: "al-host-", nonce: "al-nonce-" } as const;

/** The tag that all machines of a project have. */
export function projectTag(project: string): string {
  return `${PREFIXES.project}${project}`;
}

/** The tags of a new machine. All names are lower-case, since providers ignore case. */
export function ownerTags({ project, host, nonce }: MachineOwner): readonly string[] {
  return [projectTag(project), `${PREFIXES.host}${host}`, `${PREFIXES.nonce}${nonce}`];
}

/** Whose a machine is, or undefined when it is not entirely certain that it is of ours. */
export function ownerOf({ tags }: Pick<Machine, "tags">): MachineOwner | undefined {
  const [project, host, nonce] = [
    only(tags, PREFIXES.project),
    only(tags, PREFIXES.host),
    only(tags, PREFIXES.nonce),
  ];
  if (project === undefined || host === undefined || nonce === undefined) return undefined;
  if (!isName(project) || !isName(host)) return undefined;
  return { project, host, nonce };
}

/**
 * Refuses tags of the operator's that would make it uncertain whose a machine is.
 * @throws AlError `reserved-tag` (user).
 */
export function checkOwnTags(tags: readonly string[]): void {
  const taken = tags.filter((tag) => /^al-/i.test(tag));
  if (taken.length === 0) return;
  throw new AlError(`tags that begin with \`al-\` are ours: ${taken.join(", ")}`, {
    code: "reserved-tag",
    blame: "user",
    hint: "Give the machine other tags.",
  });
}

/** The name of what belongs to one host at the provider: its firewall, its public key. */
export function itemName({ project, host }: Pick<MachineOwner, "project" | "host">): string {
  return `al/${project}/${host}`;
}

/** The host an item of this project belongs to, or undefined for all others. */
export function hostOfItem(project: string, name: string): string | undefined {
  const [al, owner, host, ...more] = name.split("/");
  if (al !== "al" || owner !== project || more.length > 0) return undefined;
  return host !== undefined && isName(host) ? host : undefined;
}

/** What follows the prefix in the one tag that has it. */
function only(tags: readonly string[], prefix: string): string | undefined {
  const [tag, ...more] = tags.filter((one) => one.startsWith(prefix));
  return tag === undefined || more.length > 0 ? undefined : tag.slice(prefix.length);
}
