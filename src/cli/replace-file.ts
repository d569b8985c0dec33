import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";

/** Replaces a file of a checkout whole: whatever cuts this off, it is the old or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  // Like an editor's backup, it is no part of a working tree.
  const temporary = `${path}.${randomUUID()}~`;
  try {
    const file = await open(temporary, "wx", 0o644);
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
