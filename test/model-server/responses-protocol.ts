import { contentText, halves } from "./content-text.ts";
import type { ModelRequest, ScriptedTurn } from "./script.ts";

interface Item {
  readonly type?: string;
  readonly role?: string;
  readonly content?: unknown;
  readonly output?: unknown;
}

/** Reads the body of POST /v1/responses. */
export function readResponsesRequest(body: Record<string, unknown>): ModelRequest {
  const items = (body.input ?? []) as Item[];
  const isSystem = ({ role }: Item) => role === "system" || role === "developer";
  const system = [contentText(body.instructions), ...items.filter(isSystem).map(textOf)].join("\n");
  return {
    model: String(body.model),
    system,
    text: [contentText(body.instructions), ...items.map(textOf)].join("\n"),
    // One answer of the model is several items in a row.
    assistantMessages: items.filter(
      (item, index) => isModels(item) && !isModels(items[index - 1] ?? {}),
    ).length,
    toolNames: ((body.tools ?? []) as { name: string }[]).map((tool) => tool.name),
  };
}

/** A turn as the server-sent events of OpenAI's Responses API. */
export function responsesEvents(turn: ScriptedTurn, request: ModelRequest): string[] {
  const id = `resp_${request.assistantMessages}`;
  const items = [
    ...(turn.text === undefined ? [] : [message(turn.text, `msg_${request.assistantMessages}`)]),
    ...(turn.toolCalls ?? []).map(({ name, input }, index) =>
      call(name, JSON.stringify(input), `${request.assistantMessages}_${index}`),
    ),
  ];
  const response = { id, object: "response", model: request.model };
  return [
    event("response.created", { response: { ...response, status: "in_progress", output: [] } }),
    ...items.flatMap(({ item, started, kind, deltas }, index) => [
      event("response.output_item.added", { output_index: index, item: started }),
      ...deltas.map((delta) => event(kind, { output_index: index, content_index: 0, delta })),
      event("response.output_item.done", { output_index: index, item }),
    ]),
    event("response.completed", {
      response: {
        ...{ ...response, status: "completed", usage: usageOf(turn) },
        output: items.map(({ item }) => item),
      },
    }),
  ];
}

function message(text: string, id: string) {
  const base = { type: "message", id, role: "assistant" };
  return {
    item: {
      ...base,
      status: "completed",
      content: [{ type: "output_text", text, annotations: [] }],
    },
    started: { ...base, status: "in_progress", content: [] },
    kind: "response.output_text.delta",
    deltas: halves(text),
  };
}

function call(name: string, input: string, id: string) {
  const base = { type: "function_call", id: `fc_${id}`, call_id: `call_${id}`, name };
  return {
    item: { ...base, status: "completed", arguments: input },
    started: { ...base, status: "in_progress", arguments: "" },
    kind: "response.function_call_arguments.delta",
    deltas: halves(input),
  };
}

function usageOf({ usage = {} }: ScriptedTurn) {
  const { inputTokens = 10, outputTokens = 5, cacheReadTokens = 0 } = usage;
  const input = inputTokens + cacheReadTokens;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cacheReadTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + outputTokens,
  };
}

function isModels({ type, role }: Item): boolean {
  return role === "assistant" || type === "function_call" || type === "reasoning";
}

function textOf({ content, output }: Item): string {
  return contentText(content ?? output);
}

function event(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}
