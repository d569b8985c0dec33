import { AlError } from "../base/errors.ts";
import type { Environment } from "./environment.ts";

/**
 * Puts the environment's values in place of `${VAR}`, once: what a value holds is not looked at.
 * @throws AlError `variable-not-set` (user), naming all that are not there.
 */
export function substitute(text: string, env: Pick<Environment, "get">): string {
  const missing = new Set<string>();
  const filled = text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_all, name: string) => {
    const value = env.get(name);
    if (value === undefined) missing.add(name);
    return value ?? "";
  });
  if (missing.size === 0) return filled;
  throw new AlError(`not in the environment: ${[...missing].join(", ")}`, {
    code: "variable-not-set",
    blame: "user",
    hint: "Variables come from the agent's credentials and from ENV in its Dockerfile.",
  });
}
