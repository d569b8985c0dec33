import type { Secret } from "../base/secret.ts";
import type { ModelConfig } from "../core/agent-run-config.ts";
import type { TokenUsage } from "../core/run-limits.ts";
import type { RetryPolicy } from "./failure-patterns.ts";

/** Something a session did that the log or the run's fate depends on. */
export type SessionEvent =
  | {
      readonly kind: "answered";
      /** What the model said beside its tool calls; may be empty. */
      readonly text: string;
      /** Of all answers so far. */
      readonly usage: TokenUsage;
    }
  | { readonly kind: "tool-started"; readonly tool: string; readonly command: string }
  | {
      readonly kind: "tool-failed";
      readonly tool: string;
      readonly command: string;
      readonly result: string;
    }
  | {
      readonly kind: "retrying";
      readonly attempt: number;
      readonly delayMs: number;
      readonly error: string;
    };

/** How a prompt ended. */
export type SessionEnd =
  | { readonly kind: "completed"; readonly text: string; readonly toolCalls: number }
  | { readonly kind: "failed"; readonly error: string }
  | { readonly kind: "aborted" };

/** One conversation with a model that has tools. */
export interface ModelSession {
  /** Resolves when the model is done, failed for good or was aborted; does not throw for these. */
  prompt(text: string): Promise<SessionEnd>;
  /** Ends the conversation and kills running tools at once; `prompt` resolves soon after. */
  abort(): void;
  usage(): TokenUsage;
}

/** What a session is made from. */
export interface ModelSessionOptions {
  readonly model: ModelConfig;
  readonly key: Secret;
  /** The system prompt. */
  readonly instructions: string;
  readonly cwd: string;
  /** Chooses the wait before a failed model request is made again. */
  readonly retryPolicy: (modelError: string) => RetryPolicy;
  readonly onEvent: (event: SessionEvent) => void;
}
