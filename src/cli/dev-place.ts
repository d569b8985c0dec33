import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AlError, errnoOf } from "../base/errors.ts";
import { Name, projectNameFrom } from "../config/names.ts";
import { parseLayer } from "../config/toml-layers.ts";
import type { HostAddress } from "../core/desired.ts";
import type { CliContext } from "./context.ts";
import { directoryName } from "./project.ts";
import { thisMachine } from "./this-machine.ts";

const NamedFleet = z.object({ project: z.object({ name: Name }) });

/**
 * Where `al dev` keeps the project in a directory: its name there and this machine. It needs no more of
 * the project to be valid than its name. @throws AlError `invalid-project`.
 */
export async function devPlace({
  project,
}: Pick<CliContext, "project">): Promise<{ project: string; address: HostAddress }> {
  const { architecture: _architecture, ...address } = thisMachine();
  const bytes = await readFile(join(project, "fleet.toml")).catch((thrown) => {
    if (errnoOf(thrown) === "ENOENT") return undefined;
    throw thrown;
  });
  const own = projectNameFrom(directoryName(project));
  if (!bytes) return { project: devName(own, { hasFleet: false }), address };
  const parsed = parseLayer({ file: "fleet.toml", bytes });
  const fleet = NamedFleet.safeParse("layer" in parsed ? parsed.layer.document : undefined);
  if (!fleet.success) throw noName(project);
  return { project: devName(fleet.data.project.name, { hasFleet: true }), address };
}

/**
 * What a project is called under `al dev`. A fleet may have this machine among its hosts, so what is of
 * the working tree gets a name that no fleet can have. Without a fleet there is only one deployment.
 */
export function devName(project: string, { hasFleet }: { readonly hasFleet: boolean }): string {
  return hasFleet ? `${project}_dev` : project;
}

function noName(directory: string): AlError {
  return new AlError(`${join(directory, "fleet.toml")} does not give the project a valid name`, {
    code: "invalid-project",
    blame: "user",
    hint: 'It needs: [project] and name = "..."',
  });
}
