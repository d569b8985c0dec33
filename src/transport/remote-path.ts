import { posix } from "node:path";
import { AlError } from "../base/errors.ts";

/** Refuses a path on a host that is not absolute and plain: no `.`, `..`, `//`, trailing `/` or NUL. */
export function checkRemotePath(path: string): void {
  const plain = posix.isAbsolute(path) && posix.normalize(path) === path;
  if (plain && !path.endsWith("/") && !path.includes("\0")) return;
  throw invalid(path, "is not a plain absolute path");
}

/** Refuses a path of a tree's entry that is not plainly inside the tree. */
export function checkEntryPath(path: string): void {
  const plain = path !== "" && path !== "." && posix.normalize(path) === path;
  const inside = !posix.isAbsolute(path) && path !== ".." && !path.startsWith("../");
  if (plain && inside && !path.endsWith("/") && !path.includes("\0")) return;
  throw invalid(path, "is not a plain path inside a tree");
}

/** Refuses a path that does not lie below `root`; the root itself does not. */
export function checkBelow(root: string, path: string): void {
  checkRemotePath(root);
  checkRemotePath(path);
  if (!path.startsWith(`${root}/`)) throw invalid(path, `does not lie below ${root}`);
}

function invalid(path: string, reason: string): AlError {
  return new AlError(`${JSON.stringify(path)} ${reason}`, { code: "path-invalid", blame: "bug" });
}
