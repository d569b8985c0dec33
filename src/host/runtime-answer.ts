import { AlError, errnoOf } from "../base/errors.ts";

/** Whose answer is waited for, and until when. */
export interface Awaited {
  readonly host: string;
  /** Name of the runtime container. */
  readonly runtime: string;
  readonly signal?: AbortSignal | undefined;
  /** Without one it is waited for as long as the connection lasts. */
  readonly timeoutMs?: number | undefined;
}

/** What the way to a runtime throws when the other end is gone. */
const BROKEN = ["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"];

/**
 * What an exchange with a runtime comes to.
 * @throws AlError `no-answer` (transient) when it takes too long or the runtime breaks it off; any other as it is.
 */
export async function runtimeAnswer<T>(
  { host, runtime, signal, timeoutMs }: Awaited,
  exchange: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const ends = [signal, late].filter((one) => one !== undefined);
  try {
    return await exchange(AbortSignal.any(ends));
  } catch (thrown) {
    if (signal?.aborted || thrown instanceof AlError) throw thrown;
    if (late?.aborted || BROKEN.includes(errnoOf(thrown) ?? "")) {
      throw noAnswer(host, runtime, thrown);
    }
    throw thrown;
  }
}

function noAnswer(host: string, runtime: string, cause: unknown): AlError {
  return new AlError(`host ${host}: its runtime does not answer`, {
    code: "no-answer",
    blame: "transient",
    hint: `Look at the runtime's own log on the host: docker logs ${runtime}`,
    cause,
  });
}
