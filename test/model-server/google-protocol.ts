import { contentText, halves } from "./content-text.ts";
import type { ModelRequest, ScriptedTurn } from "./script.ts";

interface Part {
  readonly text?: string;
  readonly functionResponse?: { readonly response?: unknown };
}
interface Content {
  readonly role?: string;
  readonly parts?: readonly Part[];
}

/** Reads the body of POST /v1beta/models/MODEL:streamGenerateContent; the model is in the path. */
export function readGoogleRequest(body: Record<string, unknown>, path: string): ModelRequest {
  const contents = (body.contents ?? []) as Content[];
  const system = contentText((body.systemInstruction as Content | undefined)?.parts);
  const tools = (body.tools ?? []) as { functionDeclarations?: { name: string }[] }[];
  return {
    model: /models\/(.+):/.exec(path)?.[1] ?? "",
    system,
    text: [system, ...contents.flatMap(({ parts = [] }) => parts.map(partText))].join("\n"),
    assistantMessages: contents.filter(({ role }) => role === "model").length,
    toolNames: tools.flatMap(({ functionDeclarations = [] }) =>
      functionDeclarations.map(({ name }) => name),
    ),
  };
}

/** A turn as the server-sent events of Google's Generative Language API. */
export function googleEvents(turn: ScriptedTurn, request: ModelRequest): string[] {
  const { inputTokens = 10, outputTokens = 5, cacheReadTokens = 0 } = turn.usage ?? {};
  const prompt = inputTokens + cacheReadTokens;
  const parts = [
    ...halves(turn.text ?? "").map((text) => ({ text })),
    ...(turn.toolCalls ?? []).map(({ name, input }, index) => ({
      functionCall: { id: `call_${request.assistantMessages}_${index}`, name, args: input },
    })),
  ];
  const chunks = [
    ...parts.map((part) => ({
      candidates: [{ index: 0, content: { role: "model", parts: [part] } }],
    })),
    {
      candidates: [{ index: 0, content: { role: "model", parts: [] }, finishReason: "STOP" }],
      usageMetadata: {
        promptTokenCount: prompt,
        cachedContentTokenCount: cacheReadTokens,
        candidatesTokenCount: outputTokens,
        totalTokenCount: prompt + outputTokens,
      },
    },
  ];
  const common = { responseId: `r${request.assistantMessages}`, modelVersion: request.model };
  return chunks.map((chunk) => `data: ${JSON.stringify({ ...chunk, ...common })}\n\n`);
}

/** The body of an error answer. */
export function googleError(status: number, message: string): string {
  const names: Record<number, string> = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
  };
  return JSON.stringify({ error: { code: status, message, status: names[status] ?? "INTERNAL" } });
}

function partText({ text, functionResponse }: Part): string {
  if (text !== undefined) return text;
  const { output, error } = (functionResponse?.response ?? {}) as Record<string, unknown>;
  return String(output ?? error ?? "");
}
