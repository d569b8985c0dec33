import type { AgentInput, ProjectInput, SourceInput } from "./project-input.ts";

/** The sources that any of these agents listens to, by name. */
export function usedSources(
  agents: readonly Pick<AgentInput, "webhooks">[],
  { webhooks = {} }: Pick<ProjectInput, "webhooks">,
): Readonly<Record<string, SourceInput>> {
  const used = new Set(agents.flatMap((agent) => agent.webhooks ?? []).map(({ source }) => source));
  return Object.fromEntries(Object.entries(webhooks).filter(([name]) => used.has(name)));
}
