import { assertNever } from "../../base/assert-never.ts";
import { printable } from "../../base/printable.ts";
import { approvalArguments, describeApproval } from "../../core/approval.ts";
import { counted } from "../../core/counted.ts";
import { shortHash } from "../../core/names.ts";
import type { Aftermath, HostResult, PassEvent } from "../../core/pass.ts";
import type { Action, HostPlan, Step } from "../../core/plan.ts";
import type { CredentialFile } from "../../core/resolve-credentials.ts";
import { stoppedText } from "./holds.ts";
import { keptLines } from "./kept-results.ts";
import { errorRecord, errorText } from "./output.ts";

const MAX_PROGRESS = 110;

const AFTERMATH: Readonly<Record<Aftermath, string>> = {
  untouched: "nothing that runs was changed",
  restored: "the previous release runs again",
  withdrawn: "nothing is live there: there was no release to put back",
  unrestored: "and no release there was seen to work",
};

/** What a pass over one host came to, as lines for a person. */
export function resultLines(result: HostResult): string[] {
  const { host } = result;
  switch (result.kind) {
    case "in-sync":
      return [`${host}: nothing to do${readiness(result)}`, ...noteLines(result.notes)];
    case "stopped":
      return [
        `${host}: left alone, ${stoppedText(result.stopped)}${revisionText(result)}`,
        `  to start it: al start --host ${host}`,
      ];
    case "planned":
      return [
        `${host}: ${counted(result.plan.actions.length, "action")}`,
        ...planLines(result.plan),
      ];
    case "applied":
      return [
        `${host}: confirmed at revision ${shortHash(result.plan.revision)}`,
        ...noteLines(result.plan.notes),
      ];
    case "drifted":
    case "consent-needed":
    case "waiting":
    case "cleaned":
      return keptLines(result, planLines(result.plan));
    case "approval-needed":
      return [
        `${host}: approval needed`,
        ...result.approvals.flatMap((approval) => [
          `  ${describeApproval(approval)}`,
          `    al approve ${approvalArguments(approval).join(" ")}`,
        ]),
      ];
    case "not-provisioned":
      return [`${host}: has no machine yet`, `  to make it: al provision ${host}`];
    case "unreachable":
      return [`${host}: unreachable`, indent(errorText(result.error))];
    case "failed":
      return [`${host}: failed, ${AFTERMATH[result.aftermath]}`, indent(errorText(result.error))];
    default:
      return assertNever(result);
  }
}

function revisionText({ observed }: Extract<HostResult, { kind: "stopped" }>): string {
  const { current } = observed;
  return current ? `, at revision ${shortHash(current.revision)}` : "";
}

function planLines({ actions, notes }: HostPlan): string[] {
  const lines = actions.map((action) => `  ${stepText(action.step)}: ${action.reason}`);
  return [...lines, ...noteLines(notes)];
}

function planRecord({ revision, actions, notes }: HostPlan): Record<string, unknown> {
  return { revision, actions, notes };
}

function noteLines(notes: readonly string[]): string[] {
  return notes.map((note) => `  note: ${note}`);
}

/** The same for machines: identities, reasons and hashes, never contents. */
export function resultRecord(result: HostResult): Record<string, unknown> {
  const { kind, host } = result;
  switch (result.kind) {
    case "in-sync":
      return {
        ...{ kind, host, revision: result.observed.current?.revision },
        ...{ actions: [], notes: result.notes },
      };
    case "stopped": {
      const { observed, stopped } = result;
      return { kind, host, revision: observed.current?.revision, stopped };
    }
    case "planned":
    case "applied":
    case "drifted":
      return { kind, host, ...planRecord(result.plan) };
    case "consent-needed":
      return { kind, host, ...planRecord(result.plan), losses: result.losses };
    case "waiting":
      return { kind, host, ...planRecord(result.plan), moves: result.moves };
    case "cleaned":
      return { kind, host, ...planRecord(result.plan), left: result.left };
    case "approval-needed":
      return { kind, host, approvals: result.approvals };
    case "not-provisioned":
      return { kind, host };
    case "unreachable":
      return { kind, host, error: errorRecord(result.error) };
    case "failed":
      return { kind, host, error: errorRecord(result.error), aftermath: result.aftermath };
    default:
      return assertNever(result);
  }
}

/** One line of progress for a pass event, or undefined for what a person need not see. */
export function eventLine(event: PassEvent): string | undefined {
  switch (event.kind) {
    case "observing":
    case "waiting-for-lock":
    case "action-started":
      return undefined;
    case "action-progress":
      return `${event.host}:   ${clipped(event.text)}`;
    case "action-finished":
      return finishedLine(event.host, event.action, event);
    case "confirming":
      return `${event.host}: confirming`;
    case "rolling-back":
      return `${event.host}: putting the previous release back: ${event.reason}`;
    default:
      return assertNever(event);
  }
}

/** A step in a few words. */
export function stepText(step: Step): string {
  switch (step.kind) {
    case "prepare-project":
      return "prepare project directory";
    case "record-inventory":
      return "record inventory";
    case "deliver-image":
      return `deliver image ${step.image.name}`;
    case "write-release":
      return `write release ${shortHash(step.hash)}`;
    case "write-credentials":
      return `write credentials ${shortHash(step.hash)} (${fieldsText(step.files)})`;
    case "create-network":
      return `create network ${step.network.name}`;
    case "create-runtime":
      return `create runtime ${step.container.name}`;
    case "create-door":
      return `create door ${step.container.name}`;
    case "create-ingress":
      return `create ingress ${step.container.name}`;
    case "replace-network":
      return `replace network ${step.network.name}`;
    case "replace-runtime":
      return `replace runtime ${step.container.name}`;
    case "replace-door":
      return `replace door ${step.container.name}`;
    case "replace-ingress":
      return `replace ingress ${step.container.name}`;
    case "restore-rules":
      return "restore network rules";
    case "switch":
      return `switch to release ${shortHash(step.current.release)}`;
    case "withdraw":
      return `withdraw runtime ${step.container}`;
    case "remove":
      return `remove ${step.item.kind} ${removedName(step.item)}`;
    case "sweep-runs":
      return "remove what ended runs left";
    case "remove-project":
      return "remove project directory";
    case "sweep":
      return `sweep ${counted(step.paths.length, "leftover")}`;
    default:
      return assertNever(step);
  }
}

function fieldsText(files: readonly CredentialFile[]): string {
  const kept = files.filter(({ carriedFrom }) => carriedFrom !== undefined).length;
  const all = counted(files.length, "field");
  return kept === 0 ? all : `${all}, ${kept} kept as on the host`;
}

/** One short line of what a build may print in long ones; control characters are not obeyed. */
function clipped(text: string): string {
  const line = printable(text);
  return line.length > MAX_PROGRESS ? `${line.slice(0, MAX_PROGRESS - 3)}...` : line;
}

function removedName(item: { readonly kind: string; readonly id: string }): string {
  return item.kind === "release" || item.kind === "credentials" ? shortHash(item.id) : item.id;
}

function finishedLine(
  host: string,
  action: Action,
  end: { readonly ms: number; readonly kept?: string },
): string {
  const text = `${host}: ${stepText(action.step)}`;
  if (end.kept) return `${text}: kept for now: ${end.kept}`;
  return `${text} (${end.ms} ms): ${action.reason}`;
}

function readiness({ observed }: Extract<HostResult, { kind: "in-sync" }>): string {
  const { runtime } = observed;
  if (runtime?.ready) return "";
  return `, but the runtime is not ready: ${runtime?.reason ?? "it does not answer"}`;
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}
