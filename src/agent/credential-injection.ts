import type { Secret } from "../base/secret.ts";
import {
  type CredentialRef,
  credentialTypes,
  modelKeyType,
  parseCredentialRef,
} from "../core/credential-types.ts";
import type { RunCredentials } from "./run-credentials.ts";

/**
 * The environment variables a run's credentials ask for. References are taken in order, and a
 * later one replaces an earlier one's variables; what is present and not declared comes first.
 */
export function credentialVariables(
  credentials: RunCredentials,
  references: readonly string[],
): Map<string, string> {
  const variables = new Map<string, string>();
  for (const ref of injectionOrder(credentials, references)) {
    const fields = credentials.get(ref.type)?.get(ref.instance);
    for (const [field, names] of Object.entries(credentialTypes.get(ref.type)?.env ?? {})) {
      const value = fields?.get(field);
      if (!value || value.byteLength === 0) continue;
      for (const name of names) variables.set(name, value.reveal());
    }
  }
  const token = variables.get("GITHUB_TOKEN");
  return token === undefined ? variables : new Map([...variables, ...gitCredentialHelper()]);
}

/** The instance of a type that this run uses: a declared one, else `default`, else any. */
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

function injectionOrder(credentials: RunCredentials, references: readonly string[]) {
  const declared = references.map(parseCredentialRef);
  const isDeclared = (ref: CredentialRef) =>
    declared.some((other) => other.type === ref.type && other.instance === ref.instance);
  const present = [...credentials].flatMap(([type, instances]) =>
    [...instances.keys()].map((instance) => ({ type, instance })),
  );
  return [...present.filter((ref) => !isDeclared(ref)), ...declared];
}

/** git over HTTPS asks this helper, which reads the variable when asked: no file holds the token. */
function gitCredentialHelper(): [string, string][] {
  const helper =
    '!f() { test "$1" = get && echo username=x-access-token && echo "password=$GITHUB_TOKEN"; }; f';
  return [
    ["GIT_CONFIG_COUNT", "2"],
    ["GIT_CONFIG_KEY_0", "credential.https://github.com.helper"],
    ["GIT_CONFIG_VALUE_0", ""],
    ["GIT_CONFIG_KEY_1", "credential.https://github.com.helper"],
    ["GIT_CONFIG_VALUE_1", helper],
    ["GIT_TERMINAL_PROMPT", "0"],
  ];
}
