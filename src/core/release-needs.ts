import { z } from "zod";
import { AlError } from "../base/errors.ts";
import { needsOf } from "./credential-needs.ts";
import type { CredentialNeed } from "./desired.ts";
import { sha256, treeHash } from "./fingerprint.ts";
import { shortHash } from "./names.ts";
import { agentOfFile } from "./placed-agents.ts";

/** What a release of any version says of an agent's credentials. */
const AgentFile = z.object({ credentials: z.array(z.string()) });

/** A release as it was read from a host. */
export interface ReadRelease {
  readonly host: string;
  /** What its bytes must hash to. */
  readonly hash: string;
  /** By relative path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * What the agents of a release need, by its own files, whose bytes are checked against its name.
 * @throws AlError `release-altered` or `release-unreadable` (user).
 */
export function needsOfRelease({ host, hash, files }: ReadRelease): readonly CredentialNeed[] {
  const hashes = [...files].map(([path, content]) => ({ path, hash: sha256(content) }));
  if (treeHash(hashes) !== hash) throw altered(host, hash);
  const agents = [...files].flatMap(([path, content]) => {
    const name = agentOfFile(path);
    if (name === undefined) return [];
    const credentials = credentialsIn(content);
    if (!credentials) throw unreadable(host, hash);
    return [{ name, credentials }];
  });
  return needsOf(agents);
}

function credentialsIn(content: Uint8Array): readonly string[] | undefined {
  try {
    return AgentFile.parse(JSON.parse(new TextDecoder().decode(content))).credentials;
  } catch {
    return undefined;
  }
}

function unreadable(host: string, hash: string): AlError {
  return new AlError(
    `host ${host}: release ${shortHash(hash)}, which is live there, is of another version of al and does not say what its agents need`,
    {
      code: "release-unreadable",
      blame: "user",
      hint: `Deploy anew, which delivers credentials too: al apply --host ${host}`,
    },
  );
}

function altered(host: string, hash: string): AlError {
  return new AlError(
    `host ${host}: release ${shortHash(hash)}, which is live there, was altered or removed, so what its agents need is unknown`,
    {
      code: "release-altered",
      blame: "user",
      hint: `See what was altered: al plan --host ${host}. Put it right, and deliver credentials with it: al apply --host ${host}`,
    },
  );
}
