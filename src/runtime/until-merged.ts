import { AlError } from "../base/errors.ts";

/** Stands where the stopped marker comes in; goes with the merge that brings it. */
export async function notYet(): Promise<never> {
  throw new AlError("this runtime cannot do that yet", { code: "not-serving", blame: "transient" });
}
