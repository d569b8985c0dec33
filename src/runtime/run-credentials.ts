import { join } from "node:path";
import type { Run } from "../core/run.ts";
import type { RunCredentialsPort } from "../gateway/ports.ts";
import { readRelease } from "./release.ts";
import { credentialFiles, type RunFile } from "./run-files.ts";

/** Values by type, instance and field. */
type CredentialTable = Record<string, Record<string, Record<string, string>>>;

/** A run's credentials as they were when it started: its agent's list, from its own set. */
export function runCredentials(projectDir: string): RunCredentialsPort {
  return { read: async (run) => credentialTable(await runCredentialFiles(projectDir, run)) };
}

/** Files of credentials as a table of objects that inherit nothing: an instance may be called `__proto__`. */
export function credentialTable(files: readonly RunFile[]): CredentialTable {
  const found: CredentialTable = Object.create(null);
  for (const { path, content } of files) {
    const [type = "", instance = "", field = ""] = path.split("/");
    found[type] ??= Object.create(null) as CredentialTable[string];
    found[type][instance] ??= Object.create(null) as Record<string, string>;
    found[type][instance][field] = content.toString("utf8").trim();
  }
  return found;
}

/** A run's credentials as files. @throws AlError `release-unreadable`, `credential-missing` (terminal). */
export async function runCredentialFiles(projectDir: string, run: Run): Promise<RunFile[]> {
  const { release = "", credentials = "" } = run.start ?? {};
  const { agents } = await readRelease(projectDir, release);
  const references = agents.get(run.agent)?.credentials ?? [];
  return credentialFiles(join(projectDir, "credentials", credentials), references);
}
