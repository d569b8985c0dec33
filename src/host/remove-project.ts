import { AlError } from "../base/errors.ts";
import type { StepResult } from "../core/plan.ts";
import type { StepInput } from "./carry-out.ts";
import { readInventory } from "./project-files.ts";

/**
 * POSIX sh; `$1` is the project's directory. The names are those of `core/foreign.ts`. The inventory
 * goes last but for the lock, and every directory only when it is empty: what is not ours stays in it.
 */
const REMOVE_PROJECT = `set -eu
cd -P -- "$1" 2>/dev/null || exit 0
rm -rf -- logs .tmp-*
for kind in releases credentials; do [ -L "$kind" ] || rm -rf -- "$kind"/.tmp-*; done
rm -f -- current.json stopped.json credential.key
for kind in door ingress; do [ -L "$kind" ] || rm -f -- "$kind"/outside.sock "$kind"/outside.sock.next "$kind"/certificate.pem*; done
for base in state.db runtime.lock; do rm -f -- "$base" "$base-wal" "$base-shm" "$base-journal"; done
rm -f -- state.db.damaged-* state.db.recovered* state.db.recovering*
rmdir -- releases credentials certificates door ingress 2>/dev/null || :
rm -f -- applied.json lock
cd /
rmdir -- "$1" 2>/dev/null || :`;

/** Removes what we and the runtime kept in the project's directory, and the directory. Idempotent. */
export async function removeProject(input: StepInput): Promise<StepResult> {
  const { transport, observed, signal } = input;
  const { items } = await readInventory(input);
  if (items.length > 0) return { kind: "kept", reason: "its inventory still lists things" };
  const { projectDir } = observed.facts;
  const argv = ["sh", "-c", REMOVE_PROJECT, "remove", projectDir];
  const { code, stderr } = await transport.exec(argv, { signal, timeoutMs: 60_000 });
  if (code === 0) return { kind: "done" };
  const detail = stderr.toString("utf8").trim().slice(0, 500);
  throw new AlError(`host ${transport.host}: ${projectDir} could not be removed: ${detail}`, {
    code: "file-failed",
    blame: "transient",
  });
}
