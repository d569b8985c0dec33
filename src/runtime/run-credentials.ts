import { join } from "node:path";
import type { RunCredentialsPort } from "../gateway/ports.ts";
import { readRelease } from "./release.ts";
import { credentialFiles } from "./run-files.ts";

/** A run's credentials as they were when it started: its agent's list, from its own set. */
export function runCredentials(projectDir: string): RunCredentialsPort {
  return {
    async read(run) {
      const { release = "", credentials = "" } = run.start ?? {};
      const { agents } = await readRelease(projectDir, release);
      const references = agents.get(run.agent)?.credentials ?? [];
      const set = join(projectDir, "credentials", credentials);
      const found: Record<string, Record<string, Record<string, string>>> = {};
      for (const { path, content } of await credentialFiles(set, references)) {
        const [type = "", instance = "", field = ""] = path.split("/");
        found[type] ??= {};
        found[type][instance] ??= {};
        found[type][instance][field] = content.toString("utf8").trim();
      }
      return found;
    },
  };
}
