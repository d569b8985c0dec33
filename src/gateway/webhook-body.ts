import { WebhookRefusal } from "./webhook-refusal.ts";

/** Largest body of a delivery, in bytes. */
export const MAX_DELIVERY_BYTES = 10 * 1024 * 1024;

/** Bodies up to this size are always read; the number of connections bounds what they use together. */
const SMALL_BYTES = 64 * 1024;

/** Reads request bodies. */
export interface BodyReader {
  /**
   * Works on all bytes of a body; what they use of the memory is free again once `work` is done.
   * @throws WebhookRefusal 413 over {@link MAX_DELIVERY_BYTES}, whether they are announced or not, 503
   * when other bodies use up the memory, 400 when it ends early.
   */
  withBody<T>(request: Request, work: (body: Uint8Array) => Promise<T>): Promise<T>;
}

/** A reader whose larger bodies have at most `budgetBytes` in memory together. */
export function createBodyReader({ budgetBytes = 128 * 1024 * 1024 } = {}): BodyReader {
  let free = budgetBytes;
  return {
    async withBody(request, work) {
      const announced = announcedBytes(request);
      if (announced !== undefined && announced > MAX_DELIVERY_BYTES) throw tooLarge();
      if (announced !== undefined && announced <= SMALL_BYTES) return work(await whole(request));
      let taken = 0;
      // Only what has arrived counts: an announcement alone keeps nobody else out.
      const take = (bytes: number) => {
        if (bytes > free) throw busy();
        free -= bytes;
        taken += bytes;
      };
      try {
        return await work(await counted(request, take));
      } finally {
        free += taken;
      }
    },
  };
}

/** Node holds a sender to its content-length; a chunked body has none that counts. */
function announcedBytes({ headers }: Request): number | undefined {
  const length = headers.get("content-length");
  if (headers.has("transfer-encoding")) return undefined;
  return length === null ? 0 : Number(length);
}

async function whole(request: Request): Promise<Uint8Array> {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch (thrown) {
    throw endedEarly(thrown);
  }
}

async function counted(request: Request, take: (bytes: number) => void): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > MAX_DELIVERY_BYTES) throw tooLarge();
      if (bytes > SMALL_BYTES) take(Math.min(chunk.byteLength, bytes - SMALL_BYTES));
      chunks.push(chunk);
    }
  } catch (thrown) {
    throw thrown instanceof WebhookRefusal ? thrown : endedEarly(thrown);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): WebhookRefusal {
  return new WebhookRefusal(413, `the body is larger than ${MAX_DELIVERY_BYTES} bytes`, {
    code: "body-too-large",
  });
}

function busy(): WebhookRefusal {
  return new WebhookRefusal(503, "too many large deliveries at once", {
    ...{ code: "busy", retryAfterSeconds: 10 },
  });
}

function endedEarly(cause: unknown): WebhookRefusal {
  return new WebhookRefusal(400, "the body ended early", { code: "bad-body", cause });
}
