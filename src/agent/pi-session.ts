import { join } from "node:path";
import { type Api, InMemoryCredentialStore, type Model } from "@earendil-works/pi-ai";
import {
  type AgentSession,
  type AgentSessionEvent,
  createAgentSession,
  createExtensionRuntime,
  createFindToolDefinition,
  createGrepToolDefinition,
  ModelRuntime,
  type ResourceLoader,
  SessionManager,
  SettingsManager,
} from "@earendil-works/pi-coding-agent";
import { AlError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import type { ModelConfig } from "../core/agent-run-config.ts";
import { isGarbled, isRateLimit } from "./failure-patterns.ts";
import { modelEntry } from "./model-entry.ts";
import type { ModelSession, ModelSessionOptions, SessionEnd } from "./model-session.ts";
import { findFiles, grepFiles } from "./search-files.ts";

const TOOLS = ["bash", "read", "edit", "write", "grep", "find", "ls"];

/**
 * A session of pi, the coding agent, with nothing read from disk: no settings, no extensions,
 * no AGENTS.md of a cloned repository. The only file of this project that imports pi.
 * @throws AlError `invalid-model` when the provider has no such model and no address for it.
 */
export async function createPiSession(options: ModelSessionOptions): Promise<ModelSession> {
  const modelRuntime = await createModelRuntime(options.model.provider, options.key);
  const settings = SettingsManager.inMemory({
    retry: { enabled: true, provider: { maxRetries: 0 } },
    images: { autoResize: false },
    cacheWarming: "off",
  });
  const { session } = await createAgentSession({
    cwd: options.cwd,
    agentDir: join(options.cwd, ".al-agent"),
    model: chooseModel(modelRuntime, options.model),
    ...(options.model.thinkingLevel ? { thinkingLevel: options.model.thinkingLevel } : {}),
    modelRuntime,
    settingsManager: settings,
    sessionManager: SessionManager.inMemory(options.cwd),
    resourceLoader: onlyInstructions(options.instructions),
    tools: TOOLS,
    customTools: searchTools(options.cwd),
  });
  const counts = follow(session, settings, options);
  return {
    prompt: async (text) => {
      await session.prompt(text, { expandPromptTemplates: false });
      return endOf(session, counts.toolCalls);
    },
    // The promise only says when all is quiet; the abort itself happens at once.
    abort: () => void session.abort().catch(() => undefined),
    usage: () => usageOf(session, counts.turns),
  };
}

async function createModelRuntime(provider: string, key: Secret): Promise<ModelRuntime> {
  const credentials = new InMemoryCredentialStore();
  // Not as a provider's `apiKey`: pi runs that as a command when it starts with "!".
  await credentials.modify(provider, async () => ({ type: "api_key", key: key.reveal() }));
  return ModelRuntime.create({ credentials, modelsPath: null, allowModelNetwork: false });
}

function chooseModel(runtime: ModelRuntime, config: ModelConfig): Model<Api> {
  const { provider } = config;
  const known = runtime.getModel(provider, config.model);
  const entry = modelEntry(config, { known, siblings: runtime.getModels(provider) });
  if (!entry) throw unknownModel(config);
  if (runtime.getProvider(provider)) return entry as Model<Api>;
  const { api, baseUrl } = entry;
  runtime.registerProvider(provider, { api, baseUrl, models: [entry] });
  return runtime.getModel(provider, config.model) ?? (entry as Model<Api>);
}

function unknownModel(config: ModelConfig): AlError {
  return new AlError(`no address for model ${config.provider}/${config.model}`, {
    code: "invalid-model",
    blame: "user",
    hint: "Set `baseUrl` in the agent's [model] table.",
  });
}

function onlyInstructions(instructions: string): ResourceLoader {
  const runtime = createExtensionRuntime();
  return {
    getExtensions: () => ({ extensions: [], errors: [], runtime }),
    getSkills: () => ({ skills: [], diagnostics: [] }),
    getPrompts: () => ({ prompts: [], diagnostics: [] }),
    getThemes: () => ({ themes: [], diagnostics: [] }),
    getAgentsFiles: () => ({ agentsFiles: [] }),
    getSystemPrompt: () => instructions,
    getSystemPromptSource: () => undefined,
    getAppendSystemPrompt: () => [],
    getAppendSystemPromptSources: () => [],
    extendResources: () => {},
    reload: async () => {},
  };
}

function searchTools(cwd: string) {
  const grep: ReturnType<typeof createGrepToolDefinition> = {
    ...createGrepToolDefinition(cwd),
    execute: async (_id, request, signal) => ({
      content: [{ type: "text", text: await grepFiles(request, cwd, signal) }],
      details: undefined,
    }),
  };
  const find = createFindToolDefinition(cwd, {
    operations: { exists: () => true, glob: findFiles },
  });
  return [grep, find] as never[];
}

function follow(session: AgentSession, settings: SettingsManager, options: ModelSessionOptions) {
  const counts = { turns: 0, toolCalls: 0 };
  const commands = new Map<string, string>();
  session.subscribe((event: AgentSessionEvent) => {
    if (event.type === "turn_end") counts.turns += 1;
    if (event.type === "tool_execution_start") {
      counts.toolCalls += 1;
      const command = event.args?.command;
      const shown = typeof command === "string" ? command : JSON.stringify(event.args ?? {});
      commands.set(event.toolCallId, shown);
      options.onEvent({ kind: "tool-started", tool: event.toolName, command: shown });
    }
    if (event.type === "tool_execution_end" && event.isError) {
      const command = commands.get(event.toolCallId) ?? "";
      const result = textOf(event.result?.content);
      options.onEvent({ kind: "tool-failed", tool: event.toolName, command, result });
    }
    if (event.type === "message_end" && event.message.role === "assistant") {
      prepareRetry(event.message, settings, options);
      if (event.message.stopReason === "error" || event.message.stopReason === "aborted") return;
      const text = textOf(event.message.content);
      // pi counts a message right after it has told of it.
      queueMicrotask(() => {
        const usage = usageOf(session, counts.turns + 1);
        options.onEvent({ kind: "answered", text, usage });
      });
    }
    if (event.type === "auto_retry_start") {
      const { attempt, delayMs, errorMessage: error } = event;
      options.onEvent({ kind: "retrying", attempt, delayMs, error });
    }
  });
  return counts;
}

/** pi retries by itself, judging by the error's text; it knows no bare 529 and no broken JSON. */
function prepareRetry(
  message: { errorMessage?: string },
  settings: SettingsManager,
  options: ModelSessionOptions,
): void {
  const error = message.errorMessage;
  if (error === undefined) return;
  if (isRateLimit(error)) message.errorMessage = `${error} (rate limit)`;
  else if (isGarbled(error)) message.errorMessage = `${error} (connection error)`;
  const { maxRetries, baseDelayMs, maxDelayMs } = options.retryPolicy(error);
  settings.applyOverrides({ retry: { maxRetries, baseDelayMs, maxAgentDelayMs: maxDelayMs } });
}

function endOf(session: AgentSession, toolCalls: number): SessionEnd {
  const last = session.messages.findLast((message) => message.role === "assistant");
  if (!last) return { kind: "failed", error: "the model gave no answer" };
  if (last.stopReason === "aborted") return { kind: "aborted" };
  if (last.stopReason === "error") {
    return { kind: "failed", error: last.errorMessage ?? "unknown error" };
  }
  return { kind: "completed", text: textOf(last.content), toolCalls };
}

function textOf(content: unknown): string {
  if (!Array.isArray(content)) return "";
  return content
    .filter((part) => part?.type === "text")
    .map((part) => String(part.text))
    .join("\n");
}

function usageOf(session: AgentSession, turnCount: number) {
  const { tokens, cost } = session.getSessionStats();
  return {
    inputTokens: tokens.input,
    outputTokens: tokens.output,
    cacheReadTokens: tokens.cacheRead,
    cacheWriteTokens: tokens.cacheWrite,
    totalTokens: tokens.total,
    cost,
    turnCount,
  };
}
