import type { Current } from "../core/observed.ts";
import type { Listening } from "../gateway/listen.ts";

/** An outside listener, which is there while the door is, or the ingress, that leads to it. */
export interface Outside {
  /** Listens if `current.json` names that, and else does not. @throws whatever listening throws. */
  follow(current: Current): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Not listening yet. */
export function createOutside(
  entry: "door" | "ingress",
  listen: () => Promise<Listening>,
): Outside {
  let listening: Listening | undefined;
  const close = async () => {
    await listening?.close();
    listening = undefined;
  };
  return {
    async follow(current) {
      if (current[entry] === undefined) await close();
      else listening ??= await listen();
    },
    close,
  };
}
