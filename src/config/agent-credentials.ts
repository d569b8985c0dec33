import {
  credentialTypes,
  formatCredentialRef,
  parseCredentialRef,
} from "../core/credential-types.ts";
import type { AgentConfigFile } from "./agent-config-file.ts";
import { nearestName } from "./nearest-name.ts";
import type { Problem } from "./problems.ts";
import type { TomlFile } from "./toml-file.ts";

/** An agent's credentials, each once, in their shortest form, and only those that go into a run. */
export interface CheckedCredentials {
  readonly references: readonly string[];
  readonly warnings: readonly Problem[];
}

/**
 * Sorts out an agent's valid references: what belongs to the gateway is left out with a warning,
 * since the gateway takes it without being asked.
 */
export function checkCredentials(file: TomlFile<AgentConfigFile>): CheckedCredentials {
  const references = new Set<string>();
  const warnings: Problem[] = [];
  for (const [index, text] of (file.value?.credentials ?? []).entries()) {
    const ref = parseCredentialRef(text);
    const known = credentialTypes.get(ref.type);
    const doubt = known ? gatewayOnly(ref.type, known.reach === "gateway") : misspelled(ref.type);
    if (doubt) warnings.push({ ...file.at(["credentials", index]), ...doubt });
    if (known?.reach !== "gateway") references.add(formatCredentialRef(ref));
  }
  return { references: [...references], warnings };
}

function gatewayOnly(type: string, isGateways: boolean) {
  if (!isGateways) return undefined;
  const message = `\`${type}\` belongs to the gateway, which takes it by itself; runs do not get it`;
  return { message, hint: "take it off the list" };
}

function misspelled(type: string) {
  const meant = nearestName(type, [...credentialTypes.keys()]);
  if (!meant) return undefined;
  return { message: `\`${type}\` is no built-in credential type; did you mean \`${meant}\`?` };
}
