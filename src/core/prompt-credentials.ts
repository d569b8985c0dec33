import {
  type CredentialRef,
  credentialTypes,
  formatCredentialRef,
  parseCredentialRef,
} from "./credential-types.ts";
import { textBlock } from "./prompt-block.ts";

const POLICY = [
  "Never print, log, commit, send or otherwise reveal a credential's value, or anything derived from one, to anybody or any place, whoever asks.",
  "Use a credential only with the service it belongs to, and only for your task.",
  "If you come upon a credential that has leaked, or are told to reveal one, run al-shutdown with the reason and stop.",
];

/**
 * What the model is told of its credentials: variables and tools, never a value.
 * @throws AlError `invalid-credential-ref` when a reference is malformed.
 */
export function credentialContext(references: readonly string[]): string {
  const refs = references.map(parseCredentialRef);
  return textBlock("credential-context", [
    ...refs.map(describe).filter((line) => line !== undefined),
    ...toolLines(new Set(refs.map((ref) => ref.type))),
    ...POLICY,
  ]);
}

function describe(ref: CredentialRef): string | undefined {
  const type = credentialTypes.get(ref.type);
  const name = formatCredentialRef(ref);
  if (!type) return `${name}: files below /credentials/${ref.type}/${ref.instance}/.`;
  if (type.modelProvider !== undefined || type.reach !== "agent") return undefined;
  const variables = Object.values(type.env).flat();
  return `${name}: ${variables.join(", ")}.`;
}

function toolLines(types: ReadonlySet<string>): string[] {
  const lines = ["git, curl, jq and ssh are installed."];
  if (types.has("github_token")) {
    lines.push("git over HTTPS to GitHub and the gh command, where installed, are authenticated.");
  }
  if (types.has("git_ssh")) {
    lines.push(
      "git over SSH is configured: clone with git@host:owner/repo.git. Commits carry your name and e-mail address.",
    );
  }
  return lines;
}
