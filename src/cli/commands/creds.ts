import { join } from "node:path";
import { AlError, hasCode } from "../../base/errors.ts";
import { credentialNeeds } from "../../core/credential-needs.ts";
import {
  credentialTypes,
  formatCredentialRef,
  parseCredentialRef,
} from "../../core/credential-types.ts";
import { openCredentialEditor } from "../../credentials/credential-editor.ts";
import { askYes } from "../ask.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { openProject } from "../project.ts";
import { listedCredentials, listedLines, listedRecord, typeLines } from "../render/creds.ts";

/** `al creds ls`: what is in the operator's own store, and which agents of the project use it. */
export async function credsLs(context: CliContext): Promise<number> {
  const { output } = context;
  const stored = await openEditor(context).list();
  const users = await readUsers(context);
  if (!users)
    output.progress(`no valid project in ${context.project}: not shown which agents use them`);
  const listed = listedCredentials(stored, users ?? new Map());
  const now = Date.now();
  output.record({ kind: "credentials", credentials: listed.map(listedRecord) });
  for (const line of listedLines(listed, now)) output.line(line);
  return EXIT.done;
}

/** `al creds rm`: removes a credential from the operator's own store; what hosts have stays there. */
export async function credsRm(
  context: CliContext,
  word: string,
  { yes }: { readonly yes: boolean },
): Promise<number> {
  const { output, interactive } = context;
  const ref = parseCredentialRef(word);
  const text = formatCredentialRef(ref);
  const editor = openEditor(context);
  const stored = await editor.list();
  if (!stored.some(({ type, instance }) => type === ref.type && instance === ref.instance)) {
    throw notStored(text);
  }
  if (!yes && !interactive) throw unconfirmed(text);
  if (!yes && !(await askYes(`Remove ${text} from your store?`))) return EXIT.error;
  await editor.remove(ref);
  output.record({ kind: "credential-removed", ...ref });
  output.line(
    `${text}: removed. Hosts that have it keep it for as long as an agent there needs it.`,
  );
  return EXIT.done;
}

/** `al creds types`: the built-in types, their fields and what a run's environment gets. */
export async function credsTypes({ output }: CliContext): Promise<number> {
  const types = [...credentialTypes.values()];
  output.record({
    kind: "credential-types",
    types: types.map(({ name, reach, fields, env }) => ({ name, reach, fields, env })),
  });
  for (const line of typeLines(types)) output.line(line);
  return EXIT.done;
}

function openEditor({ home }: CliContext) {
  return openCredentialEditor(join(home, "credentials"));
}

/** Credential references to names of agents; undefined where there is no project. */
async function readUsers(
  context: CliContext,
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  try {
    const { config } = await openProject(context);
    const needs = credentialNeeds(config.agents, config);
    return new Map(needs.map((need) => [formatCredentialRef(need), need.agents]));
  } catch (thrown) {
    if (hasCode(thrown, "not-a-repository") || hasCode(thrown, "unknown-revision"))
      return undefined;
    if (hasCode(thrown, "invalid-project")) return undefined;
    throw thrown;
  }
}

function notStored(text: string): AlError {
  return new AlError(`there is no credential ${text} in your store`, {
    code: "unknown-credential",
    blame: "user",
    hint: "See what there is: al creds ls",
  });
}

function unconfirmed(text: string): AlError {
  return new AlError(`nobody is there to confirm that ${text} is removed`, {
    code: "unconfirmed",
    blame: "user",
    hint: `Say so: al creds rm ${text} --yes`,
  });
}
