import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** By then the runtime has read its release and adopted its runs. */
const SETTLED_MS = 10_000;

/**
 * Frees, once, what starting has left: V8 would keep it until its heap has grown, which the heap of a runtime
 * that is idle most of its time does not.
 */
export function giveBackMemory(): void {
  setTimeout(() => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    setFlagsFromString("--no-expose-gc");
    collect();
  }, SETTLED_MS).unref();
}
