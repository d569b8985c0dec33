import { contentText, halves } from "./content-text.ts";
import type { ModelRequest, ScriptedTurn } from "./script.ts";

/** Reads the body of POST /v1/messages. */
export function readAnthropicRequest(body: Record<string, unknown>): ModelRequest {
  const messages = (body.messages ?? []) as { role: string; content: unknown }[];
  const system = contentText(body.system);
  return {
    model: String(body.model),
    system,
    text: [system, ...messages.map((message) => contentText(message.content))].join("\n"),
    assistantMessages: messages.filter((message) => message.role === "assistant").length,
    toolNames: ((body.tools ?? []) as { name: string }[]).map((tool) => tool.name),
  };
}

/** A turn as the server-sent events of Anthropic's Messages API. */
export function anthropicEvents(turn: ScriptedTurn, request: ModelRequest): string[] {
  const { inputTokens = 10, outputTokens = 5 } = turn.usage ?? {};
  const { cacheReadTokens = 0, cacheWriteTokens = 0 } = turn.usage ?? {};
  const input = {
    input_tokens: inputTokens,
    cache_read_input_tokens: cacheReadTokens,
    cache_creation_input_tokens: cacheWriteTokens,
  };
  const blocks = [
    ...(turn.text === undefined ? [] : [textBlock(turn.text)]),
    ...(turn.toolCalls ?? []).map((call, index) =>
      toolBlock(call.name, call.input, `toolu_${request.assistantMessages}_${index}`),
    ),
  ];
  return [
    event("message_start", {
      message: {
        id: `msg_${request.assistantMessages}`,
        type: "message",
        role: "assistant",
        model: request.model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...input, output_tokens: 1 },
      },
    }),
    ...blocks.flatMap(({ start, deltas }, index) => [
      event("content_block_start", { index, content_block: start }),
      ...deltas.map((delta) => event("content_block_delta", { index, delta })),
      event("content_block_stop", { index }),
    ]),
    event("message_delta", {
      delta: { stop_reason: turn.toolCalls?.length ? "tool_use" : "end_turn", stop_sequence: null },
      usage: { output_tokens: outputTokens },
    }),
    event("message_stop", {}),
  ];
}

/** The body of an error answer. */
export function anthropicError(status: number, message: string): string {
  const types: Record<number, string> = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    529: "overloaded_error",
  };
  return JSON.stringify({ type: "error", error: { type: types[status] ?? "api_error", message } });
}

function textBlock(text: string) {
  return {
    start: { type: "text", text: "" },
    deltas: halves(text).map((part) => ({ type: "text_delta", text: part })),
  };
}

function toolBlock(name: string, input: object, id: string) {
  return {
    start: { type: "tool_use", id, name, input: {} },
    deltas: halves(JSON.stringify(input)).map((part) => ({
      type: "input_json_delta",
      partial_json: part,
    })),
  };
}

function event(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}
