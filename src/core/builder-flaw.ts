import { AlError } from "../base/errors.ts";
import type { Architecture } from "./desired.ts";

/** An engine that images are built on. */
export interface BuilderFacts {
  /** A host's name; absent for this machine. */
  readonly host: string | undefined;
  readonly architecture: Architecture;
  /** What it builds for: its own architecture, and those it emulates. */
  readonly builds: readonly string[];
}

/** Why an engine cannot build the images of a host, or undefined when it can. */
export function builderFlaw(
  builder: BuilderFacts,
  target: { readonly host: string; readonly architecture: Architecture },
): AlError | undefined {
  if (builder.builds.includes(target.architecture)) return undefined;
  const where = builder.host === undefined ? "this machine" : `host ${builder.host}`;
  const message = `host ${target.host} needs images for ${target.architecture}, but ${where}, which builds them, is ${builder.architecture} and emulates no ${target.architecture}`;
  return new AlError(message, {
    code: "builder-architecture",
    blame: "user",
    hint: `Set builder = "HOST" in [images] of config.toml to a host that is ${target.architecture}, or have ${where} emulate it: docker run --privileged --rm tonistiigi/binfmt --install ${target.architecture}`,
  });
}
