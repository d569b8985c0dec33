import type { ReleasePort } from "../schedule/ports.ts";
import { currentReader } from "./current-file.ts";
import { releaseReader } from "./release.ts";

/** The live release, for as long as `current.json` names this runtime. */
export function liveReleases(options: {
  readonly projectDir: string;
  readonly runtimeName: string;
}): ReleasePort {
  const read = releaseReader(options.projectDir);
  const readCurrent = currentReader(options.projectDir);
  return {
    async current() {
      const current = await readCurrent();
      if (current?.runtime !== options.runtimeName) return undefined;
      const { revision, release, credentials } = current;
      return { revision, release, credentials, ...(await read(release)) };
    },
  };
}
