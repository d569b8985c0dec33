import { mkdir, readFile, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AlError, errnoOf } from "../base/errors.ts";
import type { CliContext } from "./context.ts";
import { storeDirectory } from "./wake.ts";

type Where = Pick<CliContext, "home" | "project">;

/**
 * Two directories of one name must not become one project: without a fleet.toml the name is the
 * directory's, and the first that was deployed on this machine has it.
 * @throws AlError `name-taken` (user) when another directory, which still exists, has it.
 */
export async function checkOwner(where: Where, name: string): Promise<void> {
  const owner = await readFile(ownerFile(where, name), "utf8").catch((thrown) => {
    if (errnoOf(thrown) === "ENOENT") return "";
    throw thrown;
  });
  if (owner === "" || owner === (await realpath(where.project))) return;
  if (await realpath(owner).catch(() => undefined)) {
    throw nameTaken(name, owner, ownerFile(where, name));
  }
}

/** Remembers that this directory has the name. @throws AlError `name-taken`. */
export async function recordOwner(where: Where, name: string): Promise<void> {
  await checkOwner(where, name);
  await mkdir(storeDirectory(where.home, name), { recursive: true, mode: 0o700 });
  await writeFile(ownerFile(where, name), await realpath(where.project));
}

function ownerFile({ home }: Where, name: string): string {
  return join(storeDirectory(home, name), "directory");
}

function nameTaken(name: string, owner: string, file: string): AlError {
  return new AlError(`the project ${name} on this machine is that of ${owner}`, {
    code: "name-taken",
    blame: "user",
    hint: `Give this one a name of its own in fleet.toml; or, to take that one over, remove ${file}`,
  });
}
