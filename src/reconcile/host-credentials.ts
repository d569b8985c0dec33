import { Secret } from "../base/secret.ts";
import type { HostSpec } from "../core/desired.ts";
import type { ObservedHost } from "../core/observed.ts";
import { type CredentialFile, resolveCredentials } from "../core/resolve-credentials.ts";
import type { ApprovalsPort, CredentialsPort } from "./ports.ts";

/** The credential set a host should have, and the key of its versions: its own, or the one proposed. */
export interface HostCredentials {
  readonly credentialFiles: readonly CredentialFile[];
  readonly proposedKey: Secret;
}

/** Resolves what a spec needs against what the controller holds. @throws AlError `credential-missing`. */
export async function credentialsOf(
  spec: HostSpec,
  observed: ObservedHost,
  deps: { readonly approvals: ApprovalsPort; readonly credentials: CredentialsPort },
): Promise<HostCredentials> {
  const proposedKey = observed.credentialKey
    ? new Secret(observed.credentialKey)
    : deps.approvals.proposedKey(spec.host);
  const held = await deps.credentials.holdings(spec.credentials, proposedKey.reveal());
  return { credentialFiles: resolveCredentials(spec, observed, held), proposedKey };
}
