import { settleBounded } from "../../base/concurrency.ts";
import { toAlError } from "../../base/errors.ts";
import type { HostAddress, HostSpec } from "../../core/desired.ts";
import type { FileHash } from "../../core/fingerprint.ts";
import { differences } from "../../core/release-difference.ts";
import { resolveCredentials } from "../../core/resolve-credentials.ts";
import { type Adapters, compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { openProject } from "../project.ts";
import { diffLines, diffRecord, type HostDiff } from "../render/diff.ts";

/**
 * `al diff`: how the files that are live on each host differ from the commit's, line by line.
 * Of credentials it says which fields differ; their values are neither read nor shown.
 */
export async function diff(context: CliContext): Promise<number> {
  const { output } = context;
  const { fleet } = await openProject(context);
  const adapters = compose(context, fleet.project, { store: "read" });
  try {
    const settled = await settleBounded(fleet.hosts, fleet.rollout.parallelHosts, (host) =>
      diffHost(context, adapters, host),
    );
    const diffs = settled.map((result, index): HostDiff => {
      if (result.status === "fulfilled") return result.value;
      const host = fleet.hosts[index]?.spec.host ?? "";
      return { kind: "unknown", host, error: toAlError(result.reason) };
    });
    const { project, revision } = fleet;
    output.record({ kind: "diff", project, revision, hosts: diffs.map(diffRecord) });
    for (const line of diffs.flatMap(diffLines)) output.line(line);
    if (diffs.some(({ kind }) => kind === "unknown")) return EXIT.error;
    return diffs.some(hasDifferences) ? EXIT.changes : EXIT.done;
  } finally {
    adapters.close();
  }
}

async function diffHost(
  { signal }: CliContext,
  adapters: Adapters,
  { address, spec }: { readonly address: HostAddress; readonly spec: HostSpec },
): Promise<HostDiff> {
  const connection = await adapters.connect(address);
  try {
    const observed = await connection.observe(spec.project, { signal });
    const { release = "none", credentials: live = "none" } = observed.current ?? {};
    const directory = `${observed.facts.projectDir}/releases/${release}`;
    const before = await connection.readTree(directory, { signal });
    const after = new Map(
      spec.release.files.map(({ path, content }) => [path, Buffer.from(content)] as const),
    );
    const key = observed.credentialKey ?? adapters.deps.approvals.proposedKey(spec.host).reveal();
    const held = await adapters.deps.credentials.holdings(spec.credentials, key);
    const wanted = resolveCredentials(spec, observed, held);
    const set = observed.credentialSets.find(({ name }) => name === live);
    const byPath = (files: readonly FileHash[]) => {
      return new Map(files.map(({ path, hash }) => [path, hash] as const));
    };
    return {
      kind: "compared",
      host: spec.host,
      files: differences(before, after, (a, b) => a.equals(b)),
      before,
      after,
      credentials: differences(byPath(set?.files ?? []), byPath(wanted), (a, b) => a === b),
    };
  } finally {
    await connection.close();
  }
}

function hasDifferences(diff: HostDiff): boolean {
  return diff.kind === "compared" && diff.files.length + diff.credentials.length > 0;
}
