import { createHash, randomBytes } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { kill, pid } from "node:process";
import { environment } from "./environment.ts";

/** The root directory of this checkout. */
export const checkoutRoot = realpathSync(join(import.meta.dirname, "../.."));

/** Tells this checkout's objects in an engine from those of others. */
export const checkoutId = createHash("sha256").update(checkoutRoot).digest("hex").slice(0, 8);

/** Labels of everything the lab makes in an engine. */
export const labels = {
  checkout: "action-llama-lab.checkout",
  run: "action-llama-lab.run",
  owner: "action-llama-lab.owner",
} as const;

/** One run of the lab: its id, and the process it ends with. */
export interface LabRun {
  readonly id: string;
  /** `<process id>:<its start time>`, so that a reused id is not taken for the owner. */
  readonly owner: string;
}

/**
 * The run this process belongs to: the one its parent began, or a new one.
 * It travels to child processes in the environment, as `AL_LAB_RUN`.
 */
export function currentRun(): LabRun {
  environment.AL_LAB_RUN ??= `${randomBytes(3).toString("hex")}@${ownerOf(pid)}`;
  const [id = "", owner = ""] = environment.AL_LAB_RUN.split("@");
  return { id, owner };
}

/** The labels for an object of a run of this checkout. */
export function runLabels(run: LabRun): Record<string, string> {
  return {
    [labels.checkout]: checkoutId,
    [labels.run]: run.id,
    [labels.owner]: run.owner,
  };
}

/** True unless another process that lives began the run: what is its own is not to be touched. */
export function mayRemove(owner: string): boolean {
  return owner === ownerOf(pid) || !isOwnerAlive(owner);
}

function isOwnerAlive(owner: string): boolean {
  const id = Number(owner.split(":")[0]);
  try {
    kill(id, 0);
  } catch (thrown) {
    return (thrown as { code?: string }).code === "EPERM";
  }
  return ownerOf(id) === owner;
}

function ownerOf(id: number): string {
  const stat = readFileSync(`/proc/${id}/stat`, "utf8");
  const afterName = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return `${id}:${afterName[19] ?? ""}`;
}
