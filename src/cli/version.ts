import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE_ROOT } from "./package-root.ts";

/** Our package's version, as package.json says it. */
export function packageVersion(): string {
  const file = join(PACKAGE_ROOT, "package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
