import { join } from "node:path";
import type { Run } from "../core/run.ts";
import type { RunCredentialsPort } from "../gateway/ports.ts";
import { readRelease } from "./release.ts";
import { credentialFiles, type RunFile } from "./run-files.ts";

/** A run's credentials as they were when it started: its agent's list, from its own set. */
export function runCredentials(projectDir: string): RunCredentialsPort {
  return {
    async read(run) {
      const found: Record<string, Record<string, Record<string, string>>> = {};
      for (const { path, content } of await runCredentialFiles(projectDir, run)) {
        const [type = "", instance = "", field = ""] = path.split("/");
        found[type] ??= {};
        found[type][instance] ??= {};
        found[type][instance][field] = content.toString("utf8").trim();
      }
      return found;
    },
  };
}

/** The same as files. @throws AlError `release-unreadable`, `credential-missing` (terminal). */
export async function runCredentialFiles(projectDir: string, run: Run): Promise<RunFile[]> {
  const { release = "", credentials = "" } = run.start ?? {};
  const { agents } = await readRelease(projectDir, release);
  const references = agents.get(run.agent)?.credentials ?? [];
  return credentialFiles(join(projectDir, "credentials", credentials), references);
}
