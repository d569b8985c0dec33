import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import { Name } from "../config/names.ts";
import { ENV_FILE, namedEnvironment } from "../config/overlays.ts";
import type { Problem } from "../config/problems.ts";
import type { Overlay } from "../config/toml-layers.ts";

/** Where a machine's own files are looked for. */
export interface OverlayPlaces {
  /** The project's directory. */
  readonly project: string;
  /** `~/.action-llama`. */
  readonly home: string;
  /** What `-E` or `AL_ENV` says; `.env.toml` is asked otherwise. */
  readonly environment?: string | undefined;
}

/** The files to lay over config.toml, in their order, and what is wrong with their choice. */
export interface ReadOverlays {
  readonly overlays: readonly Overlay[];
  readonly problems: readonly Problem[];
}

/** Directory of the environments' files. */
export function environmentsDirectory(home: string): string {
  return join(home, "environments");
}

/** Reads `.env.toml`, where there is one, and the file of the environment that is asked for. */
export async function readOverlays(places: OverlayPlaces): Promise<ReadOverlays> {
  const own = await readIfThere(join(places.project, ENV_FILE), ENV_FILE);
  const overlays = own ? [own] : [];
  const named = namedEnvironment(own);
  const name = places.environment || named.name;
  if (name === undefined) return { overlays, problems: named.problems };
  const file = `~/.action-llama/environments/${name}.toml`;
  if (!Name.safeParse(name).success) {
    const problem = { file, message: "is not the name of an environment: a-z, 0-9 and `-`" };
    return { overlays, problems: [...named.problems, problem] };
  }
  const chosen = await readIfThere(join(environmentsDirectory(places.home), `${name}.toml`), file);
  if (chosen) return { overlays: [...overlays, chosen], problems: named.problems };
  const hint = "write it, or choose another with -E or AL_ENV";
  return { overlays, problems: [...named.problems, { file, message: "is missing", hint }] };
}

async function readIfThere(path: string, file: string): Promise<Overlay | undefined> {
  try {
    return { file, bytes: await readFile(path) };
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}
