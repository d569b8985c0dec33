/** A stream of text. */
export interface TextStreamOptions {
  /** Content type. */
  readonly type: string;
  /** Told when it is over, however it ends; once. */
  readonly onEnd?: () => void;
}

/** A streamed response. The signal given to `open` fires when the client goes away. */
export function textStream(
  request: Request,
  open: (signal: AbortSignal) => AsyncGenerator<string>,
  { type, onEnd = () => undefined }: TextStreamOptions,
): Response {
  const abort = new AbortController();
  const source = open(AbortSignal.any([abort.signal, request.signal]));
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await source.next();
        if (!done) return controller.enqueue(encoder.encode(value));
        controller.close();
      } catch (thrown) {
        controller.error(thrown);
      }
      onEnd();
    },
    cancel() {
      abort.abort();
      onEnd();
    },
  });
  return new Response(body, { headers: { "content-type": type, "cache-control": "no-store" } });
}
