import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AlError } from "../base/errors.ts";
import { takeFileLock } from "../state/file-lock.ts";
import type { CliContext } from "./context.ts";
import type { openProvisioning, Provisioning } from "./open-provisioning.ts";
import { storeDirectory } from "./wake.ts";

/**
 * Takes the right to order machines for a project from this store, and to give them back: a record is
 * read, waited with and written again, so one process at a time does that. Ends with the process.
 * @returns what gives it back.
 * @throws AlError `provisioning-busy` (transient), naming who has it.
 */
export function takeProvisioningLock(
  { home, holder }: Pick<CliContext, "home" | "holder">,
  project: string,
): () => void {
  const directory = storeDirectory(home, project);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const holderFile = join(directory, "provisioning.holder");
  const release = takeFileLock(join(directory, "provisioning.lock"));
  if (!release) throw busy(project, holderFile);
  writeFileSync(holderFile, holder);
  return release;
}

/** As {@link openProvisioning}; what may write has the project's provisioning lock until it is closed. */
export async function openLocked(
  context: CliContext,
  { project, access }: { readonly project: string; readonly access: "read" | "write" },
  open: typeof openProvisioning,
): Promise<Provisioning> {
  const { deps, close } = await open(context, project, access);
  try {
    const release = access === "write" ? takeProvisioningLock(context, project) : () => {};
    return {
      deps,
      close() {
        close();
        release();
      },
    };
  } catch (thrown) {
    close();
    throw thrown;
  }
}

function busy(project: string, holderFile: string): AlError {
  return new AlError(`the machines of ${project} are being seen to by ${holderIn(holderFile)}`, {
    code: "provisioning-busy",
    blame: "transient",
    hint: "Try again when it is done.",
  });
}

/** Written by who has just taken the lock; it may not have come to that yet. */
function holderIn(path: string): string {
  try {
    return readFileSync(path, "utf8") || "another al";
  } catch {
    return "another al";
  }
}
