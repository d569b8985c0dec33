import { type TextStreamOptions, textStream } from "./text-stream.ts";

/** The content type of one JSON value per line. */
export const NDJSON: string = "application/x-ndjson";

/** A streamed response of one JSON value per line; see {@link textStream}. */
export function ndjson(
  request: Request,
  open: (signal: AbortSignal) => AsyncGenerator<unknown>,
  options: Pick<TextStreamOptions, "onEnd"> = {},
): Response {
  return textStream(request, (signal) => lines(open(signal)), { ...options, type: NDJSON });
}

async function* lines(values: AsyncGenerator<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}
