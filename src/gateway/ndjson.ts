/** The content type of one JSON value per line. */
export const NDJSON: string = "application/x-ndjson";

/**
 * A streamed response of one JSON value per line. The signal given to `open` fires when the client
 * goes away.
 */
export function ndjson(
  request: Request,
  open: (signal: AbortSignal) => AsyncGenerator<unknown>,
): Response {
  const abort = new AbortController();
  const source = open(AbortSignal.any([abort.signal, request.signal]));
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
    },
    cancel: () => abort.abort(),
  });
  return new Response(body, { headers: { "content-type": NDJSON } });
}
