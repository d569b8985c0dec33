import { AlError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import type { AgentRunConfig } from "../core/agent-run-config.ts";
import { formatCredentialRef, modelKeyType } from "../core/credential-types.ts";
import {
  isKeyRefused,
  isRateLimit,
  isUnknownModel,
  isUnrecoverable,
  retryPolicyFor,
  UNRECOVERABLE_LIMIT,
} from "./failure-patterns.ts";
import type { ModelSession, ModelSessionOptions, SessionEvent } from "./model-session.ts";
import { quote, type RunLog } from "./run-log.ts";
import type { Stop } from "./stop.ts";

/** What a run needs once its surroundings are prepared. */
export interface AgentRun {
  readonly config: AgentRunConfig;
  readonly prompt: string;
  readonly key: Secret | undefined;
  readonly cwd: string;
  readonly log: RunLog;
  /** Ends the run early. */
  readonly stop: Stop;
  readonly createSession: (options: ModelSessionOptions) => Promise<ModelSession>;
  /** First wait after a rate limit; 30 s unless a test wants less. */
  readonly retryBaseMs?: number | undefined;
}

/**
 * One session from prompt to end, with its log lines. Returns early when the run is stopped.
 * @throws AlError when no session can be made or the model fails for good.
 */
export async function runAgent(run: AgentRun): Promise<void> {
  const { log, config } = run;
  refusePersonalLogin(config);
  if (!run.key) throw missingKey(config);
  log.log("info", "creating agent session");
  const session = await run.createSession({
    model: config.model,
    key: run.key,
    instructions: config.instructions,
    cwd: run.cwd,
    retryPolicy: (error) => retryPolicyFor(error, run.retryBaseMs),
    onEvent: follower(run),
  });
  run.stop.onStop(() => session.abort());
  if (run.stop.stopped) return;
  log.log("info", "session created, sending prompt");
  const end = await session.prompt(run.prompt);
  log.log("info", "token-usage", { ...session.usage() });
  if (run.stop.stopped) return;
  if (end.kind === "aborted") throw modelFailed(config, "the session was aborted");
  if (end.kind === "failed") throw modelFailed(config, end.error);
  log.log("info", end.toolCalls === 0 ? "no work to do" : "run completed");
}

function follower({ log, stop }: AgentRun): (event: SessionEvent) => void {
  let unrecoverable = 0;
  return (event) => {
    if (stop.stopped) return;
    if (event.kind === "tool-started") {
      if (event.tool === "bash") log.log("info", "bash", { cmd: quote(event.command) });
      return;
    }
    if (event.kind === "answered") {
      if (event.text !== "") log.print(event.text);
      return log.log("info", "usage", { ...event.usage });
    }
    if (event.kind === "retrying") {
      const { attempt, delayMs } = event;
      const limited = isRateLimit(event.error);
      const message = limited ? "rate limited, retrying prompt" : "model error, retrying prompt";
      log.log("warn", message, { attempt, delayMs, error: quote(event.error) });
      return;
    }
    const { tool, command, result } = event;
    log.log("error", "tool error", { tool, cmd: quote(command), result: quote(result) });
    if (!isUnrecoverable(result)) return;
    unrecoverable += 1;
    if (unrecoverable < UNRECOVERABLE_LIMIT) return;
    log.log("error", "giving up after repeated authentication or permission errors", {
      errors: unrecoverable,
    });
    stop.now(1);
  };
}

function refusePersonalLogin(config: AgentRunConfig): void {
  if (config.model.authType !== "pi_auth") return;
  throw new AlError("authType pi_auth uses a person's own login and does not work in a container", {
    code: "pi-auth-in-container",
    blame: "user",
    hint: `Store a key as the credential ${modelKeyType(config.model.provider)} and set authType = "api_key", or "oauth_token" for an Anthropic OAuth token.`,
  });
}

function missingKey(config: AgentRunConfig): AlError {
  const type = modelKeyType(config.model.provider);
  return new AlError(`no key for the model provider ${config.model.provider}`, {
    code: "missing-model-key",
    blame: "user",
    hint: `Add the credential ${formatCredentialRef({ type, instance: "default" })}.`,
  });
}

function modelFailed(config: AgentRunConfig, error: string): AlError {
  const { provider, model } = config.model;
  const said = quote(error);
  if (isKeyRefused(error)) {
    return new AlError(`the model provider refused the key: ${said}`, {
      code: "model-key-refused",
      blame: "user",
      hint: `Check the credential ${modelKeyType(provider)}.`,
    });
  }
  if (isUnknownModel(error)) {
    return new AlError(`the provider ${provider} has no model ${model}: ${said}`, {
      code: "model-unknown",
      blame: "user",
      hint: "Set `model` in [model] of agent-config.toml or config.toml.",
    });
  }
  return new AlError(`the model request failed: ${said}`, {
    code: "model-failed",
    blame: "transient",
  });
}
