import { connectEngine } from "../lab/engine.ts";
import type { World } from "../world/world.ts";

/** Removes what was built for a project on the machine's engine. */
export async function removeImages({ lab }: World, project: string): Promise<void> {
  const docker = connectEngine(lab.engine);
  const images = await docker.listImages({ filters: { reference: [`al-${project}/*`] } });
  for (const { RepoTags } of images) {
    for (const tag of RepoTags ?? []) await docker.getImage(tag).remove({ force: true });
  }
}
