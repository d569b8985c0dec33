import { isDeepStrictEqual } from "node:util";
import { parse, TomlError } from "smol-toml";
import { AlError } from "../base/errors.ts";
import { locateTomlKeys } from "./toml-lines.ts";

/** What is written of a host; a field that is absent is left as it is. */
export interface HostFields {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly architecture?: string | undefined;
  readonly provider?: string | undefined;
  readonly region?: string | undefined;
  readonly plan?: string | undefined;
  readonly os?: string | undefined;
}

/**
 * The text of a fleet.toml with `[hosts.<name>]` written or completed. Every other byte stays:
 * comments, order, line ends. `text` must be valid TOML; of equal fields nothing is rewritten.
 *
 * @throws AlError `fleet-not-editable` (user) where the table is written in a way that only a person can
 * edit, such as an inline table; the hint has the lines.
 */
export function withHost(text: string, name: string, fields: HostFields): string {
  const wanted = Object.entries(fields).filter(([, value]) => value !== undefined);
  const edited = withFields(text, name, wanted);
  if (edited !== undefined && says(edited, text, name, Object.fromEntries(wanted))) return edited;
  throw notEditable(name, wanted);
}

type Fields = readonly (readonly [string, unknown])[];

/** Undefined where an edit was no TOML any more. */
function withFields(text: string, name: string, wanted: Fields): string | undefined {
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  try {
    let edited = text;
    for (const [key, value] of wanted.toReversed()) {
      const line = `${key} = ${JSON.stringify(value)}`;
      edited = withField(edited, { name, key, line, value, lineEnd });
    }
    return edited;
  } catch (thrown) {
    if (thrown instanceof TomlError) return undefined;
    throw thrown;
  }
}

/** A new fleet.toml without hosts. */
export function newFleetFile(project: string): string {
  return `[project]\nname = ${JSON.stringify(project)}\n`;
}

type Table = Record<string, unknown>;

interface FieldEdit {
  readonly name: string;
  readonly key: string;
  /** `key = value` */
  readonly line: string;
  readonly value: unknown;
  readonly lineEnd: string;
}

function withField(text: string, { name, key, line, value, lineEnd }: FieldEdit): string {
  const host = hostTable(text, name);
  if (host?.[key] === value) return text;
  if (host && Object.hasOwn(host, key)) return replaced(text, ["hosts", name, key], line);
  const base = hasTable(text, name) ? text : appended(text, name, lineEnd);
  const lines = base.split(/(?<=\n)/);
  const header = headerIndex(lines, name);
  const headerLine = lines[header] ?? "";
  lines[header] = headerLine.endsWith("\n") ? headerLine : `${headerLine}${lineEnd}`;
  return lines.toSpliced(header + 1, 0, `${line}${lineEnd}`).join("");
}

/** The line of a key with another value; a comment behind it stays. */
function replaced(text: string, path: readonly string[], line: string): string {
  const at = (locateTomlKeys(text).lineOf(path) ?? 0) - 1;
  const lines = text.split(/(?<=\n)/);
  const value =
    /^(\s*)[^=]+=[ \t]*(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[\w.:+-]+)([ \t]*(?:#[^\n]*)?\r?\n?)$/;
  lines[at] = (lines[at] ?? "").replace(value, (_all, indent, rest) => `${indent}${line}${rest}`);
  return lines.join("");
}

function appended(text: string, name: string, lineEnd: string): string {
  const closed = text === "" || text.endsWith("\n") ? text : `${text}${lineEnd}`;
  const gap = closed === "" ? "" : lineEnd;
  return `${closed}${gap}[hosts.${name}]${lineEnd}`;
}

function hasTable(text: string, name: string): boolean {
  return headerIndex(text.split(/(?<=\n)/), name) >= 0;
}

function headerIndex(lines: readonly string[], name: string): number {
  const header = new RegExp(`^\\s*\\[\\s*hosts\\s*\\.\\s*(["']?)${name}\\1\\s*\\]\\s*(#.*)?$`);
  return lines.findIndex((line) => header.test(line.trimEnd()));
}

function hostTable(text: string, name: string): Table | undefined {
  const { hosts } = parse(text) as { hosts?: Record<string, Table> };
  return hosts && Object.hasOwn(hosts, name) ? hosts[name] : undefined;
}

/** Whether an edit did exactly what was wanted: read again, by the parser. */
function says(edited: string, before: string, name: string, fields: Table): boolean {
  try {
    const wanted = plain(before);
    const hosts = (wanted.hosts ?? {}) as Table;
    const host = { ...(hosts[name] as Table | undefined), ...fields };
    return isDeepStrictEqual(plain(edited), { ...wanted, hosts: { ...hosts, [name]: host } });
  } catch {
    return false;
  }
}

function plain(text: string): Table {
  return JSON.parse(JSON.stringify(parse(text))) as Table;
}

function notEditable(name: string, fields: Fields): AlError {
  const lines = fields.map(([key, value]) => `  ${key} = ${JSON.stringify(value)}`);
  return new AlError(`fleet.toml has host ${name} in a form that al does not edit`, {
    code: "fleet-not-editable",
    blame: "user",
    hint: `Write it yourself, then repeat the command:\n  [hosts.${name}]\n${lines.join("\n")}`,
  });
}
