import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Our package's directory, wherever in it this runs: from `src`, or from a chunk in `dist`. */
export const PACKAGE_ROOT = nearestPackage(import.meta.dirname);

function nearestPackage(directory: string): string {
  if (existsSync(join(directory, "package.json"))) return directory;
  return nearestPackage(dirname(directory));
}
