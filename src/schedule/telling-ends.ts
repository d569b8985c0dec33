import type { RunStore } from "./ports.ts";

/** The same store, an object of functions, which tells of each run whose end it has stored. */
export function tellingEnds(store: RunStore, onEnd: (run: string) => void): RunStore {
  return {
    ...store,
    async finished(id, result, rerun) {
      await store.finished(id, result, rerun);
      onEnd(id);
    },
  };
}
