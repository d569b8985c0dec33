import { z } from "zod";
import type { Hold } from "./hold.ts";

/**
 * `stopped.json` in the project's directory: an operator stopped the project's runtime on this host. While
 * it lies there no runtime serves, and a pass leaves the host alone; `al start` removes it.
 */
export interface Stopped extends Hold {
  /** The scheduler was paused only so that its runs could end first; whoever starts it lets it go on. */
  readonly drained?: boolean;
}

const StoppedFile = z.object({
  /** No more than a Date can hold. */
  since: z.int().nonnegative().max(8_640_000_000_000_000),
  by: z.string().max(200).optional(),
  drained: z.boolean().optional(),
});

/**
 * Reads the text of `stopped.json`; undefined without one. That the file is there is what counts: one that
 * says nothing that can be read, such as an empty one made by hand, stops the host since time 0.
 */
export function parseStopped(text: string | undefined): Stopped | undefined {
  if (text === undefined) return undefined;
  const parsed = StoppedFile.safeParse(jsonOf(text));
  if (!parsed.success) return { since: 0 };
  const { since, by, drained } = parsed.data;
  return {
    since,
    ...(by !== undefined && { by }),
    ...(drained === true && { drained }),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
