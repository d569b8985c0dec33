import type { ModelConfig } from "../core/agent-run-config.ts";

/** The protocols that our providers speak, in pi's words. */
type Protocol =
  | "anthropic-messages"
  | "openai-responses"
  | "openai-completions"
  | "google-generative-ai"
  | "mistral-conversations";

/** What a provider speaks unless pi's list says otherwise of one of its models. */
const PROTOCOLS: Readonly<Record<ModelConfig["provider"], Protocol>> = {
  anthropic: "anthropic-messages",
  openai: "openai-responses",
  groq: "openai-completions",
  google: "google-generative-ai",
  xai: "openai-responses",
  mistral: "mistral-conversations",
  openrouter: "openai-completions",
  custom: "openai-completions",
};

/** Protocols whose clients add `/v1` to an address by themselves. */
const ADDS_VERSION: readonly string[] = ["anthropic-messages", "mistral-conversations"];

/** What every server that speaks OpenAI's protocol understands. */
const PLAIN_OPENAI = { supportsStore: false, supportsDeveloperRole: false };

interface Listed {
  readonly api: string;
  readonly baseUrl: string;
}

/**
 * The entry of a model as pi's client wants it: pi's own where its list has the model, with
 * `baseUrl` replaced where the agent gives one; a plain one for a model that is newer than the
 * list. Undefined when there is no address.
 */
export function modelEntry<Known extends Listed>(
  config: ModelConfig,
  listed: { readonly known: Known | undefined; readonly siblings: readonly Listed[] },
) {
  const { provider, model: id } = config;
  const api = listed.known?.api ?? PROTOCOLS[provider];
  const own = listed.known ?? listed.siblings.find((sibling) => sibling.api === api);
  const baseUrl = addressFor(api, config.baseUrl) ?? own?.baseUrl;
  if (baseUrl === undefined) return undefined;
  if (listed.known) return { ...listed.known, baseUrl };
  return {
    ...{ id, name: id, provider, api, baseUrl },
    // Only who asks for thinking gets the parameters for it.
    reasoning: (config.thinkingLevel ?? "off") !== "off",
    input: ["text" as const, "image" as const],
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow: 128_000,
    maxTokens: 16_384,
    ...(provider === "custom" ? { compat: PLAIN_OPENAI } : {}),
  };
}

function addressFor(api: string, baseUrl: string | undefined): string | undefined {
  const address = baseUrl?.replace(/\/+$/, "");
  return ADDS_VERSION.includes(api) ? address?.replace(/\/v1$/, "") : address;
}
