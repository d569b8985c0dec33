import { z } from "zod";
import { bytesOf, numberOf, readFields, textOf } from "./protobuf.ts";

/** One object of the answer to a build. */
export const BuildJson = z.object({
  id: z.string().optional(),
  aux: z.unknown().optional(),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string().optional() }).optional(),
});

/** What BuildKit reports in one message. */
export interface BuildTrace {
  /** Steps that were touched; a step comes several times. */
  readonly steps: readonly {
    readonly id: string;
    /** `[stage-1 2/3] RUN ...`. */
    readonly name: string;
    readonly started: boolean;
    /** Taken from the cache. */
    readonly cached: boolean;
    readonly error: string;
  }[];
  /** Output of programs. */
  readonly output: readonly string[];
}

/**
 * Decodes a `moby.buildkit.trace` message: protobuf `StatusResponse` of BuildKit's
 * api/services/control/control.proto, of which vertices (1) and logs (3) are read.
 */
export function decodeTrace(base64: string): BuildTrace {
  const fields = readFields(Buffer.from(base64, "base64"));
  const steps = bytesOf(fields, 1).map((bytes) => {
    const vertex = readFields(bytes);
    return {
      id: textOf(vertex, 1),
      name: textOf(vertex, 3),
      started: bytesOf(vertex, 5).length > 0,
      cached: numberOf(vertex, 4) === 1,
      error: textOf(vertex, 7),
    };
  });
  const output = bytesOf(fields, 3).map((bytes) => textOf(readFields(bytes), 4));
  return { steps, output };
}
