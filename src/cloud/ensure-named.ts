import { hasCode } from "../base/errors.ts";

const ROUNDS = 4;

/** Finds or makes one thing by its name; a lost answer is settled by looking again. */
export async function ensureNamed<T>(ways: {
  readonly find: () => Promise<T | undefined>;
  readonly create: () => Promise<T>;
}): Promise<T> {
  for (let round = 1; ; round += 1) {
    const found = await ways.find();
    if (found) return found;
    try {
      return await ways.create();
    } catch (thrown) {
      if (!hasCode(thrown, "provider-answer-lost") || round === ROUNDS) throw thrown;
    }
  }
}
