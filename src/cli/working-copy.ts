import { stat } from "node:fs/promises";
import { AlError } from "../base/errors.ts";
import { isBareRepository } from "../git/wake-hook.ts";
import type { CliContext } from "./context.ts";
import { type Fleet, readFleet } from "./read-fleet.ts";

/**
 * Refuses a project whose files cannot be written, since what is written has to be committed by somebody.
 * @throws AlError `no-working-copy` (user).
 */
export async function checkWorkingCopy({
  project,
  gitVariables,
  signal,
}: Pick<CliContext, "project" | "gitVariables" | "signal">): Promise<void> {
  const isDirectory = (await stat(project).catch(() => undefined))?.isDirectory() ?? false;
  const options = { variables: gitVariables, signal };
  if (isDirectory && !(await isBareRepository(project, options))) return;
  const what = isDirectory ? "is a bare repository" : "is not a directory";
  throw new AlError(`${project} ${what}: there is no fleet.toml to write into`, {
    code: "no-working-copy",
    blame: "user",
    hint: "Run it in a checkout of the project, or name one with -p.",
  });
}

/**
 * The hosts of a working copy as its files say now, whatever the state of its agents.
 * @throws AlError `no-working-copy`, `no-fleet`, `invalid-project` (user).
 */
export async function readWorkingFleet(context: CliContext): Promise<Fleet> {
  await checkWorkingCopy(context);
  return readFleet(context);
}
