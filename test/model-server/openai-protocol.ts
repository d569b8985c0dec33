import { contentText, halves } from "./content-text.ts";
import type { ModelRequest, ScriptedTurn } from "./script.ts";

/** Reads the body of POST /v1/chat/completions. */
export function readOpenAiRequest(body: Record<string, unknown>): ModelRequest {
  const messages = (body.messages ?? []) as { role: string; content: unknown }[];
  const isSystem = (role: string) => role === "system" || role === "developer";
  const system = messages
    .filter((message) => isSystem(message.role))
    .map((message) => contentText(message.content))
    .join("\n");
  return {
    model: String(body.model),
    system,
    text: messages.map((message) => contentText(message.content)).join("\n"),
    assistantMessages: messages.filter((message) => message.role === "assistant").length,
    toolNames: ((body.tools ?? []) as { function: { name: string } }[]).map(
      (tool) => tool.function.name,
    ),
  };
}

/** A turn as the server-sent events of OpenAI's Chat Completions API. */
export function openAiEvents(turn: ScriptedTurn, request: ModelRequest): string[] {
  const { inputTokens = 10, outputTokens = 5, cacheReadTokens = 0 } = turn.usage ?? {};
  const prompt = inputTokens + cacheReadTokens;
  const calls = turn.toolCalls ?? [];
  const choice = (delta: object, finish: string | null = null) => ({
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const data = [
    choice({ role: "assistant", content: "" }),
    ...halves(turn.text ?? "").map((content) => choice({ content })),
    ...calls.flatMap(({ name, input }, index) => [
      choice({
        tool_calls: [
          {
            index,
            id: `call_${request.assistantMessages}_${index}`,
            type: "function",
            function: { name, arguments: "" },
          },
        ],
      }),
      ...halves(JSON.stringify(input)).map((part) =>
        choice({ tool_calls: [{ index, function: { arguments: part } }] }),
      ),
    ]),
    choice({}, calls.length > 0 ? "tool_calls" : "stop"),
    {
      choices: [],
      usage: {
        prompt_tokens: prompt,
        completion_tokens: outputTokens,
        total_tokens: prompt + outputTokens,
        prompt_tokens_details: { cached_tokens: cacheReadTokens },
      },
    },
  ];
  const common = {
    id: `chatcmpl-${request.assistantMessages}`,
    object: "chat.completion.chunk",
    created: 0,
    model: request.model,
  };
  return [
    ...data.map((chunk) => `data: ${JSON.stringify({ ...common, ...chunk })}\n\n`),
    "data: [DONE]\n\n",
  ];
}

/** The body of an error answer. */
export function openAiError(status: number, message: string): string {
  const types: Record<number, string> = {
    401: "invalid_request_error",
    429: "rate_limit_exceeded",
  };
  const type = types[status] ?? (status >= 500 ? "server_error" : "invalid_request_error");
  return JSON.stringify({ error: { message, type, param: null, code: type } });
}
