import { mkdir, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { AlError, errnoOf } from "../base/errors.ts";

/**
 * A path for something new below `directory`, with the directories above it made. Links on the way
 * are followed before it is judged.
 * @throws AlError `path-outside` (user) when it would not lie below.
 */
export async function placeBelow(directory: string, path: string): Promise<string> {
  const target = resolve(directory, path);
  if (!isBelow(directory, target)) throw outside(directory, path);
  const [root, existing] = await Promise.all([realpath(directory), deepest(dirname(target))]);
  if (existing.real !== root && !isBelow(root, existing.real)) throw outside(directory, path);
  const parent = join(existing.real, relative(existing.path, dirname(target)));
  await mkdir(parent, { recursive: true });
  return join(parent, basename(target));
}

/** The nearest directory above that is there. */
async function deepest(path: string): Promise<{ path: string; real: string }> {
  try {
    return { path, real: await realpath(path) };
  } catch (thrown) {
    if (errnoOf(thrown) !== "ENOENT" || dirname(path) === path) throw thrown;
    return deepest(dirname(path));
  }
}

function isBelow(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== "" && way !== ".." && !way.startsWith("../") && !isAbsolute(way);
}

function outside(directory: string, path: string): AlError {
  return new AlError(`${JSON.stringify(path)} is not below ${directory}`, {
    code: "path-outside",
    blame: "user",
    hint: `Only ${directory} is writable: name a path relative to it.`,
  });
}
