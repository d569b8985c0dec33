/** A stream of text. */
export interface TextStreamOptions {
  /** Content type. */
  readonly type: string;
  /** Told once, when it is over, however it ends. */
  readonly onEnd?: () => void;
}

/**
 * A streamed response. The signal given to `open` fires when the client goes away, and what `open` gave is
 * ended then. Whoever asks for the head only gets that, and `open` is not called.
 */
export function textStream(
  request: Request,
  open: (signal: AbortSignal) => AsyncGenerator<string>,
  { type, onEnd = () => undefined }: TextStreamOptions,
): Response {
  const headers = { "content-type": type, "cache-control": "no-store" };
  let hasEnded = false;
  const end = () => {
    if (!hasEnded) onEnd();
    hasEnded = true;
  };
  if (request.method === "HEAD") {
    end();
    return new Response(null, { headers });
  }
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
      end();
    },
    async cancel() {
      abort.abort();
      end();
      await source.return(undefined);
    },
  });
  return new Response(body, { headers });
}
