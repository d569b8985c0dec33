import { credentialTypes, parseCredentialRef } from "./credential-types.ts";

/** Something that waits for the operator's yes. */
export type Approval =
  | {
      readonly kind: "host-key";
      readonly host: string;
      /** `SHA256:...`, as ssh-keygen -l prints it. */
      readonly fingerprint: string;
      /** Address and port the key was offered at. */
      readonly endpoint: string;
      /** The approved fingerprint it differs from, when there is one. */
      readonly replaces?: string | undefined;
    }
  | {
      readonly kind: "grant";
      /** `type:instance`. */
      readonly credential: string;
      /** `gateway` for a type that only the gateway gets. */
      readonly agent: string;
      readonly host: string;
      /** The repository the credential would be given to. */
      readonly remote: string;
    };

/** One sentence for a person: what is being asked. */
export function describeApproval(approval: Approval): string {
  if (approval.kind === "grant") {
    const { credential, agent, host, remote } = approval;
    const isAgents = credentialTypes.get(parseCredentialRef(credential).type)?.reach !== "gateway";
    const who = isAgents ? `agent ${agent}` : "the gateway";
    return `may ${who} of ${remote} have credential ${credential} on host ${host}?`;
  }
  const { host, endpoint, fingerprint, replaces } = approval;
  const question = `is ${fingerprint} the key of host ${host} (${endpoint})?`;
  return replaces ? `${question} The approved key was ${replaces}.` : question;
}

/** The arguments of `al approve` that say yes to exactly this. */
export function approvalArguments(approval: Approval): readonly string[] {
  if (approval.kind === "host-key") return ["host", approval.host, approval.fingerprint];
  return ["grant", approval.credential, approval.agent, approval.host];
}
