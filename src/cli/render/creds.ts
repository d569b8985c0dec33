import {
  type CredentialType,
  formatCredentialRef,
  parseCredentialRef,
} from "../../core/credential-types.ts";
import { compareText } from "../../core/fingerprint.ts";
import type { StoredCredential } from "../../credentials/credential-editor.ts";

/** A credential in the store, or one that agents use and the store has not. */
export interface ListedCredential extends StoredCredential {
  /** Sorted names of agents that use it. */
  readonly agents: readonly string[];
}

/** What is stored, and what is used and not stored, sorted by type and instance. */
export function listedCredentials(
  stored: readonly StoredCredential[],
  users: ReadonlyMap<string, readonly string[]>,
): readonly ListedCredential[] {
  const listed = stored.map((one) => {
    return { ...one, agents: [...(users.get(formatCredentialRef(one)) ?? [])].sort(compareText) };
  });
  const known = new Set(stored.map(formatCredentialRef));
  const absent = [...users]
    .filter(([ref]) => !known.has(ref))
    .map(([ref, agents]) => {
      return { ...parseCredentialRef(ref), fields: [], agents: [...agents].sort(compareText) };
    });
  return [...listed, ...absent].sort(
    (a, b) => compareText(a.type, b.type) || compareText(a.instance, b.instance),
  );
}

/** One line for each, never a value. */
export function listedLines(listed: readonly ListedCredential[], nowMs: number): string[] {
  if (listed.length === 0) return ["your store is empty; see: al creds types"];
  return listed.map((one) => {
    const { fields, agents } = one;
    const names = fields.map(({ name }) => name).join(", ");
    const changed = Math.max(...fields.map(({ changedAtMs }) => changedAtMs));
    const what = fields.length === 0 ? "not in your store" : `${names}; ${age(nowMs - changed)}`;
    const use = agents.length === 0 ? "" : `; used by ${agents.join(", ")}`;
    return `${formatCredentialRef(one)}: ${what}${use}`;
  });
}

/** The same for machines. */
export function listedRecord({ type, instance, fields, agents }: ListedCredential) {
  const dated = fields.map(({ name, changedAtMs }) => {
    return { name, changedAt: new Date(changedAtMs).toISOString() };
  });
  return { type, instance, held: fields.length > 0, fields: dated, agents };
}

/** The table of types. */
export function typeLines(types: readonly CredentialType[]): string[] {
  const width = Math.max(...types.map(({ name }) => name.length));
  return types.map(({ name, reach, fields, env }) => {
    const variables = Object.values(env).flat().join(", ");
    const end = variables === "" ? "" : `  -> ${variables}`;
    return `${name.padEnd(width)}  ${reach.padEnd(10)}  ${fields.join(", ")}${end}`;
  });
}

function age(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 2) return "changed just now";
  if (minutes < 120) return `changed ${minutes} minutes ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `changed ${hours} hours ago` : `changed ${Math.floor(hours / 24)} days ago`;
}
