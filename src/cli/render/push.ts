import type { CredentialChange } from "../../core/credential-changes.ts";
import type { PushResult } from "../../reconcile/push.ts";
import { resultLines, resultRecord } from "./results.ts";

/** What a push came to, as lines for a person: the host, then each credential, never a value. */
export function pushLines({ result, changes }: PushResult): string[] {
  const lines = changes.map((change) => `  ${changeText(change)}`);
  const { host } = result;
  if (result.kind === "planned") return [`${host}: credentials would change`, ...lines];
  if (result.kind === "applied") return [`${host}: credentials delivered`, ...lines];
  return [...resultLines(result), ...lines];
}

/** The same for machines. */
export function pushRecord({ result, changes }: PushResult): Record<string, unknown> {
  return { ...resultRecord(result), credentials: changes };
}

function changeText({ credential, change, agents, held }: CredentialChange): string {
  if (change === "removed") return `${credential}: removed, no agent there needs it`;
  const kept = held ? "" : ", not in your store: kept as on the host";
  return `${credential}: ${change} (for ${agents.join(", ")})${kept}`;
}
