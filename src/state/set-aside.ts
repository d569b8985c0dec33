import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { syncDirectory } from "./sync-directory.ts";

/** A damaged database that was put aside. */
export interface Aside {
  /** When, ms since the epoch. */
  readonly since: number;
  /** Its path; what SQLite keeps beside it has the same beginning. */
  readonly file: string;
}

/** The newest damaged files are kept, of each database. */
export const MAX_ASIDE = 5;
const PARTS = ["-wal", "-shm", ""] as const;
const NAME = /^\.damaged-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(-\d+)?$/;

/**
 * Puts a database with its log aside under a name of its own, where it also stays under its present one:
 * `state.db.damaged-20260131T120000Z`, mode 0600. It overwrites nothing; of many, the oldest are removed.
 */
export function setAside(path: string, atMs: number): Aside {
  const file = freeName(`${path}.damaged-${stamp(atMs)}`);
  // The file itself comes last: with it, all of it is there.
  for (const part of PARTS) if (existsSync(`${path}${part}`)) keep(`${path}${part}`, file + part);
  // Of one that is gone, its name says that it was missed.
  if (!existsSync(file)) writeFileSync(file, "", { flag: "wx", mode: 0o600 });
  syncDirectory(dirname(path));
  for (const old of asides(path).slice(MAX_ASIDE)) {
    for (const part of PARTS) rmSync(old.file + part, { force: true });
  }
  return { since: Math.floor(atMs / 1000) * 1000, file };
}

/** What was put aside of a database, newest first. */
export function asides(path: string): readonly Aside[] {
  const beginning = basename(path);
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(beginning))
    .flatMap((name) => {
      const since = timeOf(name.slice(beginning.length));
      return since === undefined ? [] : [{ since, file: join(dirname(path), name) }];
    })
    .toSorted((a, b) => b.since - a.since || (a.file < b.file ? 1 : -1));
}

/** A second name costs neither time nor space; where there are no such names, it is a copy. */
function keep(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  }
  chmodSync(to, 0o600);
}

function freeName(name: string): string {
  for (let n = 1; ; n += 1) {
    const candidate = n === 1 ? name : `${name}-${n}`;
    if (PARTS.every((part) => !existsSync(candidate + part))) return candidate;
  }
}

/** `20260131T120000Z` */
function stamp(atMs: number): string {
  return new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, "");
}

function timeOf(ending: string): number | undefined {
  const [, year, month, day, hours, minutes, seconds] = NAME.exec(ending) ?? [];
  if (year === undefined) return undefined;
  return Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
}
