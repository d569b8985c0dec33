import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SetupOptions } from "../lab/cache.ts";
import { checkoutRoot } from "../lab/names.ts";
import { outsideAddress, startOutside } from "../lab/outside.ts";
import type { ModelScript } from "../model-server/script.ts";

/** A model server that containers of this machine's own engine reach. */
export interface OutsideModel {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the scripted model outside this machine; `directory` is for its script. */
export async function startOutsideModel(
  { script, key, directory }: { script: ModelScript; key: string; directory: string },
  options: SetupOptions,
): Promise<OutsideModel> {
  const file = join(directory, "model-script.json");
  await writeFile(file, JSON.stringify(script));
  const program = join(checkoutRoot, "test/model-server/main.ts");
  const { firstLine, stop } = await startOutside(
    [process.execPath, program, "--host", outsideAddress, "--script", file, "--key", key],
    options,
  );
  return { url: (JSON.parse(firstLine) as { url: string }).url, stop };
}
