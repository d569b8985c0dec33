import { closeSync, fsyncSync, openSync } from "node:fs";

/** Makes what was renamed, linked or removed in a directory survive a power cut. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
