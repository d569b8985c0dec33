import type { HostSpec } from "./desired.ts";
import { compareText } from "./fingerprint.ts";
import type { ObservedHost } from "./observed.ts";

const AGENT_FILE = /^agents\/([^/]+)\/agent\.json$/;

/** Sorted names of the agents a spec places on its host. */
export function agentsOf(spec: HostSpec): readonly string[] {
  return namesIn(spec.release.files);
}

/** Sorted names of the agents that are live on a host, from the files of its live release. */
export function liveAgents({ current, releases }: ObservedHost): readonly string[] {
  const live = releases.find(({ name }) => name === current?.release);
  return namesIn(live?.files ?? []);
}

function namesIn(files: readonly { readonly path: string }[]): readonly string[] {
  return files.flatMap(({ path }) => agentOfFile(path) ?? []).sort(compareText);
}

/** Name of the agent that a release's file of this path describes, if it is such a file. */
export function agentOfFile(path: string): string | undefined {
  return AGENT_FILE.exec(path)?.[1];
}
