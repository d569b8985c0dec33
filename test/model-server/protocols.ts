import { anthropicError, anthropicEvents, readAnthropicRequest } from "./anthropic-protocol.ts";
import { googleError, googleEvents, readGoogleRequest } from "./google-protocol.ts";
import { openAiError, openAiEvents, readOpenAiRequest } from "./openai-protocol.ts";
import { readResponsesRequest, responsesEvents } from "./responses-protocol.ts";
import type { ModelRequest, ScriptedTurn } from "./script.ts";

/** How a provider is spoken to. Mistral and many others speak `openai-completions` too. */
export interface Protocol {
  readonly name: "anthropic" | "openai-completions" | "openai-responses" | "google";
  /** The header with the key; after `Bearer ` in `authorization`. */
  readonly keyHeaders: readonly string[];
  /** True for a body that asks for a stream of events; this server gives nothing else. */
  readonly streams: (body: Record<string, unknown>) => boolean;
  readonly read: (body: Record<string, unknown>, path: string) => ModelRequest;
  readonly events: (turn: ScriptedTurn, request: ModelRequest) => string[];
  readonly error: (status: number, message: string) => string;
  /** An event of the stream that is not JSON. */
  readonly malformed: string;
}

const BROKEN_DATA = 'data: {"type":\n\n';

const asksForStream = (body: Record<string, unknown>) => body.stream === true;

const protocols: readonly (Protocol & { readonly path: RegExp })[] = [
  {
    path: /\/v1\/messages$/,
    name: "anthropic",
    keyHeaders: ["x-api-key", "authorization"],
    streams: asksForStream,
    read: readAnthropicRequest,
    events: anthropicEvents,
    error: anthropicError,
    malformed: `event: content_block_delta\n${BROKEN_DATA}`,
  },
  {
    path: /\/v1\/chat\/completions$/,
    name: "openai-completions",
    keyHeaders: ["authorization"],
    streams: asksForStream,
    read: readOpenAiRequest,
    events: openAiEvents,
    error: openAiError,
    malformed: BROKEN_DATA,
  },
  {
    path: /\/v1\/responses$/,
    name: "openai-responses",
    keyHeaders: ["authorization"],
    streams: asksForStream,
    read: readResponsesRequest,
    events: responsesEvents,
    error: openAiError,
    malformed: BROKEN_DATA,
  },
  {
    path: /\/v1beta\/models\/[^/]+:streamGenerateContent$/,
    name: "google",
    keyHeaders: ["x-goog-api-key"],
    streams: () => true,
    read: readGoogleRequest,
    events: googleEvents,
    error: googleError,
    malformed: BROKEN_DATA,
  },
];

/** The protocol spoken at a path, whatever the address has before it. */
export function protocolAt(path: string): Protocol | undefined {
  return protocols.find((protocol) => protocol.path.test(path));
}
