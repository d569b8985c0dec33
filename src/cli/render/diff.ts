import { createTwoFilesPatch } from "diff";
import type { AlError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { Difference } from "../../core/release-difference.ts";
import { errorRecord, errorText } from "./output.ts";

/** How what is live on one host differs from the commit. */
export type HostDiff =
  | {
      readonly kind: "compared";
      readonly host: string;
      readonly files: readonly Difference[];
      readonly before: ReadonlyMap<string, Buffer>;
      readonly after: ReadonlyMap<string, Buffer>;
      /** Fields by `type/instance/field`; nothing of their values. */
      readonly credentials: readonly Difference[];
    }
  | { readonly kind: "unknown"; readonly host: string; readonly error: AlError };

/** A host's differences for a person: unified patches, and the names of credential fields. */
export function diffLines(diff: HostDiff): string[] {
  const { host } = diff;
  if (diff.kind === "unknown") return [`${host}: ${errorText(diff.error)}`];
  if (diff.files.length + diff.credentials.length === 0) return [`${host}: no differences`];
  return [
    ...diff.files.flatMap((file) => patchOf(diff, file).trimEnd().split("\n").map(printable)),
    ...diff.credentials.map(
      ({ path, status }) => `${host}: credential ${path} ${status} (values are not shown)`,
    ),
  ];
}

/** The same for machines. */
export function diffRecord(diff: HostDiff): Record<string, unknown> {
  const { host } = diff;
  if (diff.kind === "unknown") return { host, error: errorRecord(diff.error) };
  const files = diff.files.map((file) => ({ ...file, patch: patchOf(diff, file) }));
  return { host, files, credentials: diff.credentials };
}

function patchOf(
  { host, before, after }: Extract<HostDiff, { kind: "compared" }>,
  { path, status }: Difference,
): string {
  const [old, wanted] = [before.get(path), after.get(path)].map((bytes) => bytes?.toString("utf8"));
  const live = status === "added" ? "/dev/null" : `live on ${host}/${path}`;
  const commit = status === "removed" ? "/dev/null" : `commit/${path}`;
  const patch = createTwoFilesPatch(live, commit, old ?? "", wanted ?? "");
  // Its first line is a ruler of its own.
  return patch.slice(patch.indexOf("\n") + 1);
}
