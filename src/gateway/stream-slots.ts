import { AlError } from "../base/errors.ts";

/** How many answers may go on at the same time. */
export interface StreamSlots {
  /** Takes one; what it returns gives it back, and may be called twice. @throws AlError `too-many-streams`. */
  take(): () => void;
}

/** So many, and no more. */
export function createStreamSlots(count: number): StreamSlots {
  let free = count;
  return {
    take() {
      if (free === 0) {
        const message = `${count} answers are followed already`;
        throw new AlError(message, { code: "too-many-streams", blame: "transient" });
      }
      free -= 1;
      let taken = true;
      return () => {
        if (taken) free += 1;
        taken = false;
      };
    },
  };
}
