import { isDeepStrictEqual } from "node:util";
import { parse, stringify } from "smol-toml";
import { AlError } from "../base/errors.ts";
import type { MachineChoice } from "../core/machine.ts";

/** A host to be, and its machine. */
export interface NewHost extends MachineChoice {
  readonly name: string;
}

/**
 * The text of fleet.toml with one more host at its end; all else stays as it is, comments included.
 * @throws AlError `fleet-not-editable` (user), with what to write, where that is not possible.
 */
export function addMachine(text: string, { name, region, plan, os }: NewHost): string {
  const host = { provider: "vultr", region, plan, os };
  const lines = stringify({ hosts: { [name]: host } }).trim();
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  const added = `${text}${gap}\n${lines}\n`;
  if (isAdded(text, added, { name, host })) return added;
  throw new AlError(`host ${name} cannot be added at the end of fleet.toml`, {
    code: "fleet-not-editable",
    blame: "user",
    hint: `Write it there yourself, then run al provision ${name}:\n${lines}`,
  });
}

/** True when the new text says what the old one said and nothing but that host besides. */
function isAdded(before: string, after: string, of: { name: string; host: object }): boolean {
  try {
    const old = parse(before) as { hosts?: Record<string, unknown> };
    if (Object.hasOwn(old.hosts ?? {}, of.name)) return false;
    const wanted = { ...old, hosts: { ...old.hosts, [of.name]: of.host } };
    return isDeepStrictEqual(plain(parse(after)), plain(wanted));
  } catch {
    return false;
  }
}

/** Tables are made without a prototype by the parser, and with one here. */
function plain(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document));
}
