import {
  type CredentialRef,
  credentialTypes,
  formatCredentialRef,
  modelKeyType,
  parseCredentialRef,
} from "./credential-types.ts";
import type { CredentialNeed } from "./desired.ts";
import { compareText } from "./fingerprint.ts";
import { givenCertificate, type PublicSite } from "./ingress-config.ts";
import type { AgentInput, ProjectInput, SourceInput } from "./project-input.ts";
import { usedSources } from "./used-sources.ts";
import { webhookSecretTypes } from "./webhook-types.ts";

/**
 * Stands among the names of agents for the gateway. It cannot be taken for an agent of that name: what
 * the gateway has is of types that no agent ever gets.
 */
const GATEWAY = "gateway";

/**
 * The references one agent gets: those it declares, each once and in its shortest form, then its
 * model's key, which is the `default` one unless the agent declares another of that type.
 */
export function agentCredentials(agent: AgentInput): readonly string[] {
  const declared = agent.credentials.map(parseCredentialRef);
  const key = modelKey(agent, declared);
  return [...new Set([...declared, ...(key ? [key] : [])].map(formatCredentialRef))];
}

/** What a host with these agents and this public name needs, its gateway included, sorted by type and instance. */
export function credentialNeeds(
  agents: readonly AgentInput[],
  project: Pick<ProjectInput, "webhooks" | "gateway">,
  site?: PublicSite,
): readonly CredentialNeed[] {
  return needsOf(
    agents.map((agent) => ({ name: agent.name, credentials: agentCredentials(agent) })),
    {
      sources: usedSources(agents, project),
      control: project.gateway.control === true,
      certificate: site && givenCertificate(site),
    },
  );
}

/** The credential with which operators use the control API from outside. */
export const GATEWAY_KEY = "gateway_api_key";

/**
 * The same of agents whose references are known, their models' keys included, of the sources they
 * listen to, whose secrets are the gateway's, and of whether it has a key for operators and a certificate.
 */
export function needsOf(
  agents: readonly { readonly name: string; readonly credentials: readonly string[] }[],
  gateway: {
    readonly sources: Readonly<Record<string, Pick<SourceInput, "type" | "credential">>>;
    readonly control: boolean;
    /** Instance of the public name's certificate, where that is given. */
    readonly certificate?: string | undefined;
  },
): readonly CredentialNeed[] {
  const users = new Map<string, string[]>();
  const { sources, control, certificate: instance } = gateway;
  const certificate = instance && formatCredentialRef({ type: "tls_certificate", instance });
  const its = {
    name: GATEWAY,
    credentials: [
      ...secretsOf(Object.values(sources)),
      ...(control ? [GATEWAY_KEY] : []),
      ...(certificate === undefined ? [] : [certificate]),
    ],
  };
  const all = [...agents, its];
  for (const { name, credentials } of all.sort((a, b) => compareText(a.name, b.name))) {
    for (const ref of credentials) users.set(ref, [...(users.get(ref) ?? []), name]);
  }
  return [...users]
    .map(([ref, names]) => {
      const { type, instance } = parseCredentialRef(ref);
      return { type, instance, fields: credentialTypes.get(type)?.fields ?? [], agents: names };
    })
    .sort((a, b) => compareText(a.type, b.type) || compareText(a.instance, b.instance));
}

function secretsOf(
  sources: readonly Pick<SourceInput, "type" | "credential">[],
): readonly string[] {
  const secrets = sources.flatMap(({ type, credential = [] }) =>
    credential.map((instance) => formatCredentialRef({ type: webhookSecretTypes[type], instance })),
  );
  return [...new Set(secrets)];
}

function modelKey(agent: AgentInput, declared: readonly CredentialRef[]) {
  if (agent.model.authType === "pi_auth") return undefined;
  const type = modelKeyType(agent.model.provider);
  return declared.find((ref) => ref.type === type) ?? { type, instance: "default" };
}
