import { AlError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import {
  credentialTypes,
  formatCredentialRef,
  modelKeyType,
  parseCredentialRef,
} from "../core/credential-types.ts";
import type { RunCredentials } from "./run-credentials.ts";

/**
 * The environment variables a run's credentials ask for. Of each type one instance counts, so that
 * a key never meets the name or region of another: see {@link chosenInstance}.
 */
export function credentialVariables(
  credentials: RunCredentials,
  references: readonly string[],
): Map<string, string> {
  const variables = new Map<string, string>();
  for (const type of credentials.keys()) {
    const fields = chosenInstance(credentials, references, type);
    for (const [field, names] of Object.entries(credentialTypes.get(type)?.env ?? {})) {
      const value = fields?.get(field);
      if (!value || value.byteLength === 0) continue;
      for (const name of names) variables.set(name, value.reveal());
    }
  }
  return variables;
}

/** The instance of a type that a run uses: the last that it lists, else `default`, else the first. */
export function chosenInstance(
  credentials: RunCredentials,
  references: readonly string[],
  type: string,
): ReadonlyMap<string, Secret> | undefined {
  const instances = credentials.get(type);
  const declared = references.map(parseCredentialRef).findLast((ref) => ref.type === type);
  return (
    instances?.get(declared?.instance ?? "default") ??
    instances?.get("default") ??
    instances?.values().next().value
  );
}

/** The key of a model provider, or undefined when the run has none. */
export function modelKey(
  credentials: RunCredentials,
  references: readonly string[],
  provider: string,
): Secret | undefined {
  return chosenInstance(credentials, references, modelKeyType(provider))?.get("token");
}

/**
 * Refuses a run that was not given everything its agent lists.
 * @throws AlError `credential-missing` (user), naming all that lack.
 */
export function requireCredentials(
  credentials: RunCredentials,
  references: readonly string[],
): void {
  const missing = references
    .map(parseCredentialRef)
    .filter(({ type, instance }) => !credentials.get(type)?.get(instance)?.size)
    .map(formatCredentialRef);
  if (missing.length === 0) return;
  const which = `credential${missing.length === 1 ? "" : "s"} ${missing.join(", ")}`;
  throw new AlError(`the run was not given the ${which}`, {
    code: "credential-missing",
    blame: "user",
    hint: `Run \`al creds add ${missing[0]}\` and then \`al push\`, or take it off \`credentials\` in agent-config.toml.`,
  });
}
