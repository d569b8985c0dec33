import { join } from "node:path";
import { AlError } from "../../base/errors.ts";
import type { Secret } from "../../base/secret.ts";
import {
  type CredentialRef,
  credentialTypes,
  formatCredentialRef,
  optionalFields,
  parseCredentialRef,
} from "../../core/credential-types.ts";
import { openCredentialEditor } from "../../credentials/credential-editor.ts";
import { openCredentialStore } from "../../credentials/credential-store.ts";
import { checkCertificate } from "../../credentials/tls-certificate.ts";
import { askField, askFieldNames } from "../ask-credential.ts";
import type { CliContext } from "../context.ts";
import { parseFieldFlags, readField } from "../credential-fields.ts";
import { EXIT } from "../exit.ts";

/**
 * `al creds add`: stores a credential in the operator's own store. What `--field` does not give is
 * asked for on a terminal. A certificate with another's key is refused.
 */
export async function credsAdd(
  context: CliContext,
  word: string,
  flags: readonly string[],
): Promise<number> {
  const { output } = context;
  const ref = parseCredentialRef(word);
  const sources = parseFieldFlags(flags);
  checkFieldNames(
    ref,
    sources.map(({ name }) => name),
  );
  const root = join(context.home, "credentials");
  const editor = openCredentialEditor(root);
  const stored = (await editor.list()).find(
    ({ type, instance }) => type === ref.type && instance === ref.instance,
  );
  const existing = new Set(stored?.fields.map(({ name }) => name));
  const given = new Set(sources.map(({ name }) => name));
  const missing = requiredFields(ref).filter((name) => !given.has(name) && !existing.has(name));
  if (!context.interactive && (missing.length > 0 || sources.length === 0)) {
    throw incomplete(ref, missing);
  }
  const values = new Map<string, Secret>();
  for (const source of sources) values.set(source.name, await readField(source, process.stdin));
  const asked = sources.length > 0 ? missing : await fieldsOf(ref, existing);
  for (const name of asked) {
    const value = await askField({
      type: ref.type,
      name,
      emptyMeans: meaning(ref, name, existing),
    });
    if (value) values.set(name, value);
  }
  await checkWhole(ref, values, root);
  await editor.write(ref, values);
  const fields = [...values.keys()];
  const text = formatCredentialRef(ref);
  output.record({ kind: "credential-stored", ...ref, fields, rotated: stored !== undefined });
  if (fields.length === 0) output.line(`${text}: nothing changed`);
  else output.line(`${text}: stored ${fields.join(", ")}. ${whoGetsIt(ref.type)}`);
  return EXIT.done;
}

/** What is stored already counts where a field is not given anew. */
async function checkWhole(ref: CredentialRef, given: ReadonlyMap<string, Secret>, root: string) {
  const store = openCredentialStore(root);
  const whole = new Map(given);
  for (const name of requiredFields(ref)) {
    const kept = given.get(name) ?? (await store.read(`${ref.type}/${ref.instance}/${name}`));
    if (kept) whole.set(name, kept);
  }
  checkCertificate(ref, (name) => whole.get(name));
}

async function fieldsOf(ref: CredentialRef, existing: ReadonlySet<string>) {
  const known = credentialTypes.get(ref.type)?.fields;
  if (known) return known;
  return existing.size > 0 ? [...existing] : askFieldNames(ref.type);
}

function meaning({ type }: CredentialRef, name: string, existing: ReadonlySet<string>) {
  if (existing.has(name)) return "keep it";
  return optionalFields.has(`${type}/${name}`) ? "skip it" : undefined;
}

function requiredFields({ type }: CredentialRef): readonly string[] {
  const fields = credentialTypes.get(type)?.fields ?? [];
  return fields.filter((name) => !optionalFields.has(`${type}/${name}`));
}

function checkFieldNames({ type }: CredentialRef, names: readonly string[]): void {
  const fields = credentialTypes.get(type)?.fields;
  const unknown = names.filter((name) => fields && !fields.includes(name));
  if (unknown.length === 0) return;
  throw new AlError(`${type} has no field ${unknown.join(", ")}`, {
    code: "unknown-field",
    blame: "user",
    hint: `Its fields: ${fields?.join(", ")}`,
  });
}

function incomplete(ref: CredentialRef, missing: readonly string[]): AlError {
  const known = credentialTypes.has(ref.type);
  const names = missing.length > 0 ? missing : (credentialTypes.get(ref.type)?.fields ?? ["NAME"]);
  const flags = names.map((name) => `--field ${name}=@FILE`).join(" ");
  const text = formatCredentialRef(ref);
  const lacks = known && missing.length > 0 ? `${text} also needs ${missing.join(", ")}` : "";
  return new AlError(lacks || `say which fields of ${text} to store`, {
    code: "incomplete-credential",
    blame: "user",
    hint: `Without a terminal to ask on: al creds add ${text} ${flags} (or =- for standard input)`,
  });
}

function whoGetsIt(type: string): string {
  if (credentialTypes.get(type)?.reach === "controller") return "It stays on this machine.";
  return "Hosts get it with: al push";
}
