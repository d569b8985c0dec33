import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import { credentialVersion, treeHash } from "../core/fingerprint.ts";
import type { RunFile } from "./run-files.ts";

/**
 * Versions of the credentials a run gets, by `type:instance`: one hash over the versions of its fields
 * under the host's key, as the controller knows them. Empty where the host has no such key.
 */
export async function credentialVersionsOf(
  projectDir: string,
  files: readonly RunFile[],
): Promise<Readonly<Record<string, string>>> {
  const key = await hostKey(projectDir);
  if (key === undefined) return {};
  const fields = new Map<string, { path: string; hash: string }[]>();
  for (const { path, content } of files) {
    const [type, instance] = path.split("/");
    const name = `${type}:${instance}`;
    const own = fields.get(name) ?? [];
    fields.set(name, [...own, { path, hash: credentialVersion(key, content) }]);
  }
  return Object.fromEntries([...fields].map(([name, own]) => [name, treeHash(own)]));
}

async function hostKey(projectDir: string): Promise<string | undefined> {
  try {
    const text = await readFile(join(projectDir, "credential.key"), "utf8");
    return text.split("\n")[0] || undefined;
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}
