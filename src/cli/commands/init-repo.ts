import { installWakeHook } from "../../git/wake-hook.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";

/** `al controller init-repo DIR`: a bare repository with the hook that wakes a controller. */
export async function initRepo({ output, signal }: CliContext, path: string): Promise<number> {
  const { directory } = await installWakeHook(path, { signal });
  output.line(`${directory} is ready.`);
  output.line(`  git push ${directory} HEAD:main`);
  output.line(`  al controller --source ${directory}`);
  output.record({ kind: "repository", directory });
  return EXIT.done;
}
