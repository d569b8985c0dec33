import { modelKeyType } from "../core/credential-types.ts";
import type { ModelInput } from "../core/project-input.ts";
import type { AgentConfigFile } from "./agent-config-file.ts";
import type { ConfigFile } from "./config-file.ts";
import type { ModelTable } from "./model-table.ts";
import type { Problem } from "./problems.ts";
import type { TomlFile } from "./toml-file.ts";

/** An agent's model after inheritance, or why there is none. */
export interface ResolvedModel {
  readonly model: ModelInput | undefined;
  readonly problems: readonly Problem[];
}

/**
 * Fills an agent's `[model]` from the project's. An agent with a provider of its own inherits
 * only the thinking level: model names, addresses and keys mean nothing to another provider.
 */
export function resolveModel(
  agent: TomlFile<AgentConfigFile>,
  project: TomlFile<ConfigFile>,
): ResolvedModel {
  // A table with a problem of its own comes first: what it lacks may be what is wrong in it.
  if (!agent.value || !agent.isSound("model")) return { model: undefined, problems: [] };
  if (!project.value || !project.isSound("model")) return { model: undefined, problems: [] };
  const own = agent.value.model;
  const inherited = inheritable(own, project.value.model);
  const merged = { ...inherited, ...definedOnly(own) };
  const problems = missing(agent, merged, own.provider !== undefined);
  const { provider, model, thinkingLevel, baseUrl } = merged;
  const authType = merged.authType ?? "api_key";
  if (authType === "pi_auth") {
    const file = own.authType === undefined ? project : agent;
    problems.push({ ...file.at(["model", "authType"]), ...piAuth(provider) });
  }
  if (provider === "custom" && baseUrl === undefined) {
    const message = "is required for the provider `custom`";
    problems.push({ ...agent.at(["model"]), keyPath: "model.baseUrl", message });
  }
  if (!provider || !model || problems.length > 0) return { model: undefined, problems };
  return { model: { provider, model, authType, thinkingLevel, baseUrl }, problems };
}

function inheritable(own: ModelTable, project: ModelTable): ModelTable {
  if (own.provider === undefined || own.provider === project.provider) return definedOnly(project);
  return definedOnly({ thinkingLevel: project.thinkingLevel });
}

function definedOnly(table: ModelTable): ModelTable {
  return Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined));
}

function missing(agent: TomlFile<AgentConfigFile>, merged: ModelTable, ownProvider: boolean) {
  const hint = ownProvider
    ? "an agent with another provider inherits no model"
    : "set it here, or in [model] of config.toml for all agents";
  return (["provider", "model"] as const).flatMap((field): Problem[] => {
    if (merged[field] !== undefined) return [];
    const place = { ...agent.at(["model"]), keyPath: `model.${field}` };
    return [{ ...place, message: "is required", hint }];
  });
}

function piAuth(provider: string | undefined) {
  const type = modelKeyType(provider ?? "anthropic");
  const message = "`pi_auth` reads a file of your own machine, which a run in a container has not";
  return { message, hint: `use "api_key" and store the key with \`al creds add ${type}\`` };
}
