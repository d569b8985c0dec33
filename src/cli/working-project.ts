import { toAlError } from "../base/errors.ts";
import { loadProject } from "../config/load-project.ts";
import { ENV_FILE } from "../config/overlays.ts";
import type { SourceTree } from "../config/ports.ts";
import { formatProblems, type Problem } from "../config/problems.ts";
import { hasFile } from "../config/tree-paths.ts";
import { desireFleet } from "../core/desire.ts";
import { sha256 } from "../core/fingerprint.ts";
import type { ImageAssets } from "../core/project-input.ts";
import { openWorkingTree, type WorkingTree } from "../git/working-tree.ts";
import type { Desired } from "../reconcile/controller.ts";
import type { CliContext } from "./context.ts";
import { devName } from "./dev-place.ts";
import { directoryName } from "./project.ts";
import { type ReadOverlays, readOverlays } from "./read-overlays.ts";
import { onThisMachine } from "./this-machine.ts";

/** A working tree as a source of desired states. */
export interface WorkingProject {
  /** Looks at the files; the name of what they are now. */
  look(): Promise<string>;
  /** What the files of the last look ask of this machine, or all that is wrong with them. */
  desired(): Promise<Desired>;
}

type Seen =
  | { readonly kind: "tree"; readonly tree: WorkingTree; readonly overlays: ReadOverlays }
  | { readonly kind: "unsafe"; readonly report: string };

/** Opens the working tree at `-p` with the machine's own files laid over it. */
export function openWorkingProject(
  { project, home, gitVariables, signal }: CliContext,
  options: { readonly environment?: string | undefined; readonly assets: ImageAssets },
): WorkingProject {
  const { environment, assets } = options;
  const reader = openWorkingTree(project, {
    without: [ENV_FILE],
    variables: gitVariables,
    signal,
  });
  let seen: Seen | undefined;
  return {
    async look() {
      const overlays = await readOverlays({ project, home, environment });
      seen = await reader.look().then(
        (tree) => ({ kind: "tree", tree, overlays }),
        (thrown) => ({ kind: "unsafe", report: refusalOf(thrown) }),
      );
      return revisionOf(seen);
    },
    async desired() {
      if (seen === undefined || seen.kind === "unsafe") {
        return { kind: "refused", report: seen?.report ?? "nothing was looked at" };
      }
      return desiredOf({ ...seen.tree, revision: revisionOf(seen) }, seen.overlays, {
        assets,
        name: directoryName(project),
      });
    },
  };
}

async function desiredOf(
  tree: SourceTree,
  { overlays, problems }: ReadOverlays,
  { assets, name }: { readonly assets: ImageAssets; readonly name: string },
): Promise<Desired> {
  const loaded = await loadProject(tree, { directoryName: name, overlays });
  const all: readonly Problem[] = loaded.ok ? problems : [...problems, ...loaded.problems];
  if (!loaded.ok || all.length > 0) return { kind: "refused", report: formatProblems(all) };
  const { project } = loaded;
  const here = {
    ...onThisMachine(project),
    name: devName(project.name, { hasFleet: hasFile(tree, "fleet.toml") }),
  };
  return { kind: "fleet", fleet: desireFleet(here, assets, tree.revision) };
}

/** `tree-<hash>` of files and overlays: the same for the same content. */
function revisionOf(seen: Seen): string {
  if (seen.kind === "unsafe") return `tree-${sha256(seen.report)}`;
  const { tree, overlays } = seen;
  const parts = overlays.overlays.map(({ file, bytes }) => `${file} ${sha256(bytes)}`);
  const wrong = formatProblems(overlays.problems);
  return parts.length === 0 && wrong === ""
    ? tree.revision
    : `tree-${sha256([tree.revision, ...parts, wrong].join("\n"))}`;
}

/** What a person must mend is a refusal; anything else goes on. */
function refusalOf(thrown: unknown): string {
  const error = toAlError(thrown);
  if (error.blame !== "user") throw error;
  return error.message;
}
