import { confirm, isCancel } from "@clack/prompts";
import { type Approval, describeApproval } from "../core/approval.ts";
import { shortHash } from "../core/names.ts";
import type { ControllerStore } from "../state/controller-store.ts";

/** Asks about each approval in turn and records every yes. False as soon as one is refused. */
export async function askApprovals(
  approvals: readonly Approval[],
  store: ControllerStore,
): Promise<boolean> {
  for (const approval of approvals) {
    if (!(await askYes(describeApproval(approval)))) return false;
    store.approve(approval, Date.now());
  }
  return true;
}

/** Asks whether a revision may remove what was just listed, and records a yes. */
export async function askConsent(revision: string, store: ControllerStore): Promise<boolean> {
  const message = `may revision ${shortHash(revision)} remove all this?`;
  if (!(await askYes(message))) return false;
  store.consentToPrune(revision, Date.now());
  return true;
}

/** Asks a question whose answer is no unless the person says yes. */
export async function askYes(message: string): Promise<boolean> {
  const answer = await confirm({ message, initialValue: false });
  return !isCancel(answer) && answer;
}
