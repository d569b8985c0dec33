import { assertNever } from "../../base/assert-never.ts";
import { counted } from "../../core/counted.ts";
import type { HostResult } from "../../core/pass.ts";

/** Results in which something was found or left on a host, on purpose. */
type Kept = Extract<HostResult, { kind: "drifted" | "consent-needed" | "waiting" | "cleaned" }>;

/** Such a result as lines for a person, with what to do next; `actions` are its plan's lines. */
export function keptLines(result: Kept, actions: readonly string[]): string[] {
  const { host } = result;
  switch (result.kind) {
    case "drifted":
      return [
        `${host}: drifted, and left as it is (drift = "report")`,
        ...actions,
        "  to mend it: al apply --heal",
      ];
    case "consent-needed":
      return [...lossLines(result), ...actions, consentLine(result.revision)];
    case "waiting":
      return [
        `${host}: unchanged, until what moves away is confirmed where it goes`,
        ...result.moves.map(({ agent, to }) => `  agent ${agent} goes to ${to.join(", ")}`),
      ];
    case "cleaned":
      return [
        result.left.length === 0
          ? `${host}: left the fleet, and was cleaned`
          : `${host}: left the fleet; ${counted(result.left.length, "thing")} there could not be removed yet`,
        ...result.left.map(({ kind, id }) => `  ${kind} ${id}`),
        ...result.plan.notes.map((note) => `  note: ${note}`),
      ];
    default:
      return assertNever(result);
  }
}

/** What would go from a host with the operator's consent. */
export function lossLines({ host, losses }: Extract<Kept, { kind: "consent-needed" }>): string[] {
  return [
    `${host}: consent needed, this revision removes much`,
    ...losses.map((loss) => `  goes: ${loss}`),
  ];
}

/** The command that consents to what one revision removes, on every host. */
export function consentLine(revision: string): string {
  return `    al approve prune ${revision}`;
}
