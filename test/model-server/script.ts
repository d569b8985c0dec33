/** What the model answers in one turn. Texts may hold templates; see `fillTemplates`. */
export interface ScriptedTurn {
  readonly text?: string;
  readonly toolCalls?: readonly {
    readonly name: string;
    readonly input: Readonly<Record<string, unknown>>;
  }[];
  readonly usage?: {
    readonly inputTokens?: number;
    readonly outputTokens?: number;
    readonly cacheReadTokens?: number;
    readonly cacheWriteTokens?: number;
  };
  /** Waits before the first byte. */
  readonly delayMs?: number;
  /** The first attempts at this turn fail in these ways, in order; then it is answered. */
  readonly faults?: readonly ScriptedFault[];
}

/** One way in which a provider fails. */
export type ScriptedFault =
  | {
      readonly kind: "status";
      readonly status: number;
      /** The provider's usual error text for this status unless given. */
      readonly body?: string;
      /** How many attempts fail so; 1 unless told, 0 means all of them. */
      readonly times?: number;
    }
  /** The stream ends in the middle of the text. */
  | { readonly kind: "cut" }
  /** One event of the stream is not JSON. */
  | { readonly kind: "malformed" };

/** One agent's conversation: turn n answers a request that holds n assistant messages. */
export interface ScriptedConversation {
  /** Text that must occur in the system prompt or a message; without it everything matches. */
  readonly when?: string;
  readonly turns: readonly ScriptedTurn[];
}

/** Conversations in order of precedence: the first that matches answers. */
export type ModelScript = readonly ScriptedConversation[];

/** A provider's request, reduced to what a script can depend on. */
export interface ModelRequest {
  readonly model: string;
  /** System prompt. */
  readonly system: string;
  /** System prompt and all messages and tool results, one below the other. */
  readonly text: string;
  readonly assistantMessages: number;
  readonly toolNames: readonly string[];
}

/** The turn that answers a request, or why none does. */
export function selectTurn(
  script: ModelScript,
  request: ModelRequest,
): ScriptedTurn | { readonly problem: string } {
  const conversation = script.find(({ when }) => when === undefined || request.text.includes(when));
  if (!conversation) return { problem: "no conversation of the script matches the request" };
  const turn = conversation.turns[request.assistantMessages];
  return turn ?? { problem: `the script has no turn ${request.assistantMessages}` };
}

/** Replaces `{{match:REGEX}}` by its first group (else the whole match) in the request's text. */
export function fillTemplates<T>(value: T, request: ModelRequest): T {
  if (typeof value === "string") {
    return value.replace(/\{\{match:(.+?)\}\}/g, (_all, pattern: string) => {
      const found = new RegExp(pattern).exec(request.text);
      return found?.[1] ?? found?.[0] ?? "";
    }) as T;
  }
  if (Array.isArray(value)) return value.map((item) => fillTemplates(item, request)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fillTemplates(item, request)]),
  ) as T;
}

/** The fault of the attempt with this number (from 0), if that one fails. */
export function faultOf(turn: ScriptedTurn, attempt: number): ScriptedFault | undefined {
  let first = 0;
  for (const fault of turn.faults ?? []) {
    const times = fault.kind === "status" ? (fault.times ?? 1) : 1;
    if (times === 0 || attempt < first + times) return fault;
    first += times;
  }
  return undefined;
}
