import { randomUUID } from "node:crypto";
import { chmod, mkdir, open, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { AlError, errnoOf } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import {
  type CredentialRef,
  isCredentialField,
  isCredentialInstance,
  isCredentialTypeName,
} from "../core/credential-types.ts";
import { compareText } from "../core/fingerprint.ts";

const TEMPORARY = ".tmp-";
/** No write takes nearly as long. */
const ABANDONED_MS = 10 * 60 * 1000;

/** A credential in the operator's own store; its values are not read. */
export interface StoredCredential extends CredentialRef {
  /** Sorted by name. */
  readonly fields: readonly { readonly name: string; readonly changedAtMs: number }[];
}

/** Writes the operator's own store; nothing but `al creds` does. */
export interface CredentialEditor {
  /** Sorted by type, then instance. Odd names are left out. */
  list(): Promise<readonly StoredCredential[]>;
  /** Puts these fields in place, each atomically; other fields of the credential stay. */
  write(ref: CredentialRef, fields: ReadonlyMap<string, Secret>): Promise<void>;
  /** Removes a credential whole; false when there was none. */
  remove(ref: CredentialRef): Promise<boolean>;
}

/** Opens the store below `root`, usually `~/.action-llama/credentials`, for editing. */
export function openCredentialEditor(root: string): CredentialEditor {
  return {
    list: () => listStore(root),
    write: async ({ type, instance }, fields) => {
      const directory = join(root, type, instance);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      for (const path of [root, join(root, type), directory]) await chmod(path, 0o700);
      await withTemporary(root, async (temporary) => {
        for (const [name, value] of fields) {
          await writeSynced(join(temporary, name), value);
          await rename(join(temporary, name), join(directory, name)).catch((cause) => {
            throw notWritten(join(directory, name), cause);
          });
        }
        await sync(directory);
      });
    },
    async remove({ type, instance }) {
      const directory = join(root, type, instance);
      if (!(await exists(directory))) return false;
      await withTemporary(root, (temporary) => rename(directory, join(temporary, "gone")));
      await rmdir(join(root, type)).catch(() => {});
      return true;
    },
  };
}

async function listStore(root: string): Promise<StoredCredential[]> {
  const found: StoredCredential[] = [];
  for (const type of (await names(root)).filter(isCredentialTypeName)) {
    for (const instance of (await names(join(root, type))).filter(isCredentialInstance)) {
      const directory = join(root, type, instance);
      const fields = await Promise.all(
        (await names(directory)).filter(isCredentialField).map(async (name) => {
          const info = await stat(join(directory, name)).catch(() => undefined);
          return info?.isFile() ? [{ name, changedAtMs: Math.floor(info.mtimeMs) }] : [];
        }),
      );
      if (fields.flat().length > 0) found.push({ type, instance, fields: fields.flat() });
    }
  }
  return found;
}

async function names(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort(compareText);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ENOTDIR") return [];
    throw thrown;
  }
}

/** A directory in the store that no reader looks at, gone afterwards, as are those of killed processes. */
async function withTemporary<T>(root: string, work: (path: string) => Promise<T>): Promise<T> {
  await sweepAbandoned(root);
  const path = join(root, `${TEMPORARY}${randomUUID()}`);
  await mkdir(path, { mode: 0o700 });
  try {
    return await work(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function sweepAbandoned(root: string): Promise<void> {
  const leftovers = (await names(root)).filter((name) => name.startsWith(TEMPORARY));
  for (const path of leftovers.map((name) => join(root, name))) {
    const info = await stat(path).catch(() => undefined);
    if (info && info.mtimeMs < Date.now() - ABANDONED_MS)
      await rm(path, { recursive: true, force: true });
  }
}

async function writeSynced(path: string, value: Secret): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(value.revealBytes());
    await file.sync();
  } finally {
    await file.close();
  }
}

async function sync(directory: string): Promise<void> {
  const handle = await open(directory);
  await handle.sync().finally(() => handle.close());
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function notWritten(path: string, cause: unknown): AlError {
  return new AlError(`credential file ${path} cannot be written: ${(cause as Error).message}`, {
    code: "credential-not-written",
    blame: "user",
    hint: "Look at what lies there: al creds ls",
    cause,
  });
}
