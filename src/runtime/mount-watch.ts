import { statSync } from "node:fs";

const LOOK_MS = 5000;

/**
 * Ends this program when a directory that is mounted here was removed on the host: one that is made anew is
 * another, and only a new start mounts that. Until then senders are told 503, which is better than nobody
 * at the port.
 */
export function endWithMount(directory: string): void {
  let looksWithout = 0;
  setInterval(() => {
    looksWithout = statSync(directory).nlink === 0 ? looksWithout + 1 : 0;
    if (looksWithout === 2) process.exit(1);
  }, LOOK_MS);
}
