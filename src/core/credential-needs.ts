import {
  type CredentialRef,
  credentialTypes,
  formatCredentialRef,
  modelKeyType,
  parseCredentialRef,
} from "./credential-types.ts";
import type { CredentialNeed } from "./desired.ts";
import { compareText } from "./fingerprint.ts";
import type { AgentInput } from "./project-input.ts";

/**
 * The references one agent gets: those it declares, each once and in its shortest form, then its
 * model's key, which is the `default` one unless the agent declares another of that type.
 */
export function agentCredentials(agent: AgentInput): readonly string[] {
  const declared = agent.credentials.map(parseCredentialRef);
  const key = modelKey(agent, declared);
  return [...new Set([...declared, ...(key ? [key] : [])].map(formatCredentialRef))];
}

/** What a host with these agents needs, sorted by type and instance. */
export function credentialNeeds(agents: readonly AgentInput[]): readonly CredentialNeed[] {
  return needsOf(
    agents.map((agent) => ({ name: agent.name, credentials: agentCredentials(agent) })),
  );
}

/** The same of agents whose references are known, their models' keys included. */
export function needsOf(
  agents: readonly { readonly name: string; readonly credentials: readonly string[] }[],
): readonly CredentialNeed[] {
  const users = new Map<string, string[]>();
  for (const { name, credentials } of [...agents].sort((a, b) => compareText(a.name, b.name))) {
    for (const ref of credentials) users.set(ref, [...(users.get(ref) ?? []), name]);
  }
  return [...users]
    .map(([ref, names]) => {
      const { type, instance } = parseCredentialRef(ref);
      return { type, instance, fields: credentialTypes.get(type)?.fields ?? [], agents: names };
    })
    .sort((a, b) => compareText(a.type, b.type) || compareText(a.instance, b.instance));
}

function modelKey(agent: AgentInput, declared: readonly CredentialRef[]) {
  if (agent.model.authType === "pi_auth") return undefined;
  const type = modelKeyType(agent.model.provider);
  return declared.find((ref) => ref.type === type) ?? { type, instance: "default" };
}
