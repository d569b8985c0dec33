import { Name } from "./names.ts";
import type { Problem } from "./problems.ts";
import { ENVIRONMENT_KEY, type Overlay, parseLayer } from "./toml-layers.ts";

/** The machine's own file beside config.toml. */
export const ENV_FILE = ".env.toml";

/** Which environment `.env.toml` names, if any, or what is wrong with the name. */
export interface NamedEnvironment {
  readonly name?: string | undefined;
  readonly problems: readonly Problem[];
}

/** Reads the environment's name from `.env.toml`; bad syntax is reported when the file is laid over. */
export function namedEnvironment(envFile: Overlay | undefined): NamedEnvironment {
  const parsed = envFile && parseLayer(envFile);
  if (!parsed || "problem" in parsed) return { problems: [] };
  const { file, document, lines } = parsed.layer;
  const name = document[ENVIRONMENT_KEY];
  if (name === undefined) return { problems: [] };
  const checked = Name.safeParse(name);
  if (checked.success) return { name: checked.data, problems: [] };
  const place = { file, line: lines.lineOf([ENVIRONMENT_KEY]), keyPath: ENVIRONMENT_KEY };
  const message = checked.error.issues[0]?.message ?? "is not a name";
  return { problems: [{ ...place, message }] };
}
