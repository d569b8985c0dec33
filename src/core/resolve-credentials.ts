import { AlError } from "../base/errors.ts";
import { formatCredentialRef, isCredentialField } from "./credential-types.ts";
import type { CredentialNeed, HostSpec } from "./desired.ts";
import { compareText, type FileHash } from "./fingerprint.ts";
import type { ObservedHost } from "./observed.ts";

/** What a controller holds of what a host needs. Every path is `type/instance/field`. */
export interface HeldCredentials {
  /** Versions under the host's key of the fields it holds: it enforces these. */
  readonly held: readonly FileHash[];
  /** What it does not hold: fields, or `type/instance/*` where it knows of none. */
  readonly absent: readonly string[];
}

/** A field of a credential set. */
export interface CredentialFile extends FileHash {
  /** The set on the host it is copied from, there; absent where the controller holds the value. */
  readonly carriedFrom?: string;
}

/**
 * The credential set a host should have, sorted by path: what the controller holds in its version,
 * and the rest as it lies on the host, carried over from set to set.
 * @throws AlError `credential-missing` naming every field that is in neither place.
 */
export function resolveCredentials(
  spec: HostSpec,
  observed: ObservedHost,
  { held, absent }: HeldCredentials,
): readonly CredentialFile[] {
  const found = absent.map((path) => ({ path, files: onHost(observed, path) }));
  const missing = found.filter(({ files }) => files.length === 0).map(({ path }) => path);
  if (missing.length > 0) throw missingError(spec, observed, missing);
  const files = [...held, ...found.flatMap(({ files }) => files)];
  return files.sort((a, b) => compareText(a.path, b.path));
}

/** The directory of a credential in a set, ending in `/`. */
export function credentialFolder({ type, instance }: CredentialNeed): string {
  return `${type}/${instance}/`;
}

/** From the live set; where that has none of it, from the one that was confirmed last. */
function onHost(observed: ObservedHost, path: string): readonly CredentialFile[] {
  const { current, inventory } = observed;
  for (const set of [current?.credentials, inventory.confirmed?.credentials]) {
    const tree = observed.credentialSets.find(({ name }) => name === set);
    const files = tree?.files.filter((file) => isAsked(file.path, path)) ?? [];
    if (set !== undefined && files.length > 0) {
      return files.map(({ path, hash }) => ({ path, hash, carriedFrom: set }));
    }
  }
  return [];
}

function isAsked(path: string, asked: string): boolean {
  if (!asked.endsWith("/*")) return path === asked;
  const folder = asked.slice(0, -1);
  return path.startsWith(folder) && isCredentialField(path.slice(folder.length));
}

function missingError(
  { host, credentials }: HostSpec,
  observed: ObservedHost,
  missing: readonly string[],
): AlError {
  const needOf = (path: string) =>
    credentials.find((need) => path.startsWith(credentialFolder(need)));
  const lines = missing.map((path) => {
    const agents = needOf(path)?.agents.join(", ");
    return agents ? `${path} (for ${agents})` : path;
  });
  const refs = [...new Set(missing.map(needOf))].flatMap((need) =>
    need ? [`al creds add ${formatCredentialRef(need)}`] : [],
  );
  const lost = observed.current !== undefined && observed.credentialKey === undefined;
  const where = lost
    ? "not in your store, and what lies on the host cannot be recognised: its credential.key is gone"
    : "neither in your store nor live on the host";
  const what = `missing credential${missing.length === 1 ? "" : "s"}: ${lines.join("; ")}`;
  return new AlError(`host ${host}: ${what}; ${where}`, {
    code: "credential-missing",
    blame: "user",
    hint: `Run \`${refs.join(" && ")}\`, then apply again.`,
  });
}
