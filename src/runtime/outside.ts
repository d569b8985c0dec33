import type { Current } from "../core/observed.ts";
import type { Listening } from "../gateway/listen.ts";

/** The outside listener, which is there while a door is. */
export interface Outside {
  /** Listens if `current.json` names a door, and else does not. @throws whatever listening throws. */
  follow(current: Current): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Not listening yet. */
export function createOutside(listen: () => Promise<Listening>): Outside {
  let listening: Listening | undefined;
  const close = async () => {
    await listening?.close();
    listening = undefined;
  };
  return {
    async follow({ door }) {
      if (door === undefined) await close();
      else listening ??= await listen();
    },
    close,
  };
}
