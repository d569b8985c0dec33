import type { Placement } from "./desired.ts";
import type { PlacementInput } from "./project-input.ts";

/** Why an agent is where it is, in one sentence, and what its operator should know of that. */
export function explainPlacement(
  wanted: PlacementInput,
  found: { readonly eligible: number; readonly chosen: number },
  { isDisabled }: { readonly isDisabled: boolean },
): Pick<Placement, "reason" | "note"> {
  const reason = isDisabled ? `disabled (scale 0); ${why(wanted, found)}` : why(wanted, found);
  if (found.chosen < 2) return { reason };
  return { reason, note: "locks are per host: two hosts may hold the same one at a time" };
}

/** `region=fra, disk=ssd`, sorted by key. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key]}`)
    .join(", ");
}

function why(
  wanted: PlacementInput,
  { eligible, chosen }: { readonly eligible: number; readonly chosen: number },
): string {
  const labels = labelsText(wanted.labels ?? {});
  const having = labels === "" ? "" : ` with labels ${labels}`;
  if (eligible === 0) return `no host${having} to choose from`;
  if (chosen < eligible) {
    const among = `${chosen === 1 ? "" : `${chosen} `}chosen among ${wanted.hosts ? "the " : ""}${eligible} hosts`;
    return `${among}${wanted.hosts ? " it names" : ""}${having} by its name's hash`;
  }
  if (wanted.hosts) return `pinned by hosts${labels === "" ? "" : ` and labels ${labels}`}`;
  if (eligible > 1) return `on all ${eligible} hosts${having}`;
  return having === "" ? "the fleet has one host" : `only host${having}`;
}
