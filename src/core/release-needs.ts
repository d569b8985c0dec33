import { z } from "zod";
import { AlError } from "../base/errors.ts";
import { needsOf } from "./credential-needs.ts";
import type { CredentialNeed } from "./desired.ts";
import { sha256, treeHash } from "./fingerprint.ts";
import { shortHash } from "./names.ts";
import { agentOfFile } from "./placed-agents.ts";
import { webhookTypes } from "./webhook-types.ts";

/** What a release of any version says of an agent's credentials. */
const AgentFile = z.object({ credentials: z.array(z.string()) });

/** What it says of the gateway's: nothing in releases made before there were webhooks. */
const ProjectFile = z.object({
  webhooks: z
    .record(
      z.string(),
      z.object({ type: z.enum(webhookTypes), credential: z.array(z.string()).optional() }),
    )
    .default({}),
  control: z.literal(true).optional(),
  ingress: z.object({ certificate: z.string().optional() }).optional(),
});

/** A release as it was read from a host. */
export interface ReadRelease {
  readonly host: string;
  /** What its bytes must hash to. */
  readonly hash: string;
  /** By relative path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * What the agents of a release and its gateway need, by its own files, whose bytes are checked against
 * its name.
 * @throws AlError `release-altered` or `release-unreadable` (user).
 */
export function needsOfRelease(release: ReadRelease): readonly CredentialNeed[] {
  const { host, hash, files } = release;
  const hashes = [...files].map(([path, content]) => ({ path, hash: sha256(content) }));
  if (treeHash(hashes) !== hash) throw altered(host, hash);
  const agents = [...files.keys()].flatMap((path) => {
    const name = agentOfFile(path);
    return name === undefined ? [] : [{ name, ...read(release, path, AgentFile) }];
  });
  const { webhooks: sources, control, ingress } = read(release, "project.json", ProjectFile);
  const { certificate } = ingress ?? {};
  return needsOf(agents, { sources, control: control === true, certificate });
}

function read<T>(
  { host, hash, files }: ReadRelease,
  path: string,
  schema: { parse(value: unknown): T },
): T {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(files.get(path))));
  } catch (cause) {
    throw unreadable(host, hash, cause);
  }
}

function unreadable(host: string, hash: string, cause: unknown): AlError {
  return new AlError(
    `host ${host}: release ${shortHash(hash)}, which is live there, is of another version of al and does not say what its agents need`,
    {
      code: "release-unreadable",
      blame: "user",
      hint: `Deploy anew, which delivers credentials too: al apply --host ${host}`,
      cause,
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
