import { randomUUID } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";

/** Replaces a file of a checkout, or makes it: whatever cuts this off, it is the old or the new one, with its mode. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const mode = (await stat(path).catch(() => undefined))?.mode ?? 0o644;
  // Like an editor's backup, it is no part of a working tree.
  const temporary = `${path}.${randomUUID()}~`;
  try {
    const file = await open(temporary, "wx", mode & 0o777);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
