import { AlError } from "../../base/errors.ts";
import { type Approval, approvalArguments, describeApproval } from "../../core/approval.ts";
import type { HostResult } from "../../core/pass.ts";
import { runFleetPass } from "../../reconcile/fleet-pass.ts";
import type { ControllerStore } from "../../state/controller-store.ts";
import { askApprovals, askConsent } from "../ask.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { openProject } from "../project.ts";
import { consentLine, lossLines } from "../render/kept-results.ts";
import { wakeController } from "../wake.ts";

/** Everything that waits for the operator's word. */
interface Waiting {
  readonly approvals: readonly Approval[];
  /** Hosts whose losses need consent, all by one revision. */
  readonly losing: readonly Losing[];
}

type Losing = Extract<HostResult, { kind: "consent-needed" }>;

/**
 * `al approve`: without words it asks about everything that waits (on a terminal) or lists it;
 * with words it approves exactly what they name, and only if that is what really waits.
 */
export async function approve(context: CliContext, words: readonly string[]): Promise<number> {
  const { output, signal } = context;
  const { fleet, remote, grants } = await openProject(context);
  const store = words.length > 0 || context.interactive ? "write" : "read";
  const adapters = compose(context, fleet.project, { grants, store });
  try {
    const input = { fleet, remote, mode: "plan" } as const;
    const results = await runFleetPass(input, adapters.deps, { signal });
    const waiting = waitingIn(results);
    if (words.length === 0) {
      for (const result of results) {
        if (result.kind === "unreachable" || result.kind === "failed") output.fail(result.error);
      }
    }
    const exitCode =
      words.length > 0
        ? approveNamed(context, { waiting, words, store: adapters.store })
        : await answerAll(context, waiting, adapters.store);
    if (store === "write") await wakeController(context.home, fleet.project);
    return exitCode;
  } finally {
    adapters.close();
  }
}

function waitingIn(results: readonly HostResult[]): Waiting {
  return {
    approvals: results.flatMap((one) => (one.kind === "approval-needed" ? one.approvals : [])),
    losing: results.flatMap((one) => (one.kind === "consent-needed" ? [one] : [])),
  };
}

/** Records the yes to the one thing that the words name. @throws AlError `nothing-to-approve`. */
function approveNamed(
  { output }: CliContext,
  of: { readonly waiting: Waiting; readonly words: readonly string[]; store: ControllerStore },
): number {
  const { waiting, words, store } = of;
  const prune = consentFor(waiting.losing, words);
  if (prune !== undefined) {
    store.consentToPrune(prune, Date.now());
    output.line(`approved: prune ${prune}`);
    output.record({ kind: "approved", prune });
    return EXIT.done;
  }
  const named = findNamed(waiting, words);
  store.approve(named, Date.now());
  output.line(`approved: ${approvalArguments(named).join(" ")}`);
  output.record({ kind: "approved", approval: named });
  return EXIT.done;
}

async function answerAll(
  context: CliContext,
  waiting: Waiting,
  store: ControllerStore,
): Promise<number> {
  const { output, interactive } = context;
  const { approvals, losing } = waiting;
  const [first] = losing;
  if (approvals.length === 0 && !first) {
    output.line("nothing waits for approval");
    output.record({ kind: "waiting", approvals, losses: [] });
    return EXIT.done;
  }
  if (interactive && !(await askApprovals(approvals, store))) return EXIT.error;
  if (!interactive) listApprovals(context, waiting);
  for (const line of losing.flatMap(lossLines)) output.line(line);
  if (first && interactive) {
    return (await askConsent(first.revision, store)) ? EXIT.done : EXIT.error;
  }
  if (first) output.line(consentLine(first.revision));
  return interactive ? EXIT.done : EXIT.changes;
}

function listApprovals({ output }: CliContext, { approvals, losing }: Waiting): void {
  const losses = losing.map(({ host, revision, losses: goes }) => ({ host, revision, goes }));
  output.record({ kind: "waiting", approvals, losses });
  for (const approval of approvals) {
    output.line(describeApproval(approval));
    output.line(`  al approve ${approvalArguments(approval).join(" ")}`);
  }
}

/** The revision that `prune REVISION` names, if it is one that waits for consent. */
function consentFor(
  [waiting]: readonly Losing[],
  [word, revision = ""]: readonly string[],
): string | undefined {
  if (word !== "prune" || !/^[0-9a-f]{7,}$/.test(revision)) return undefined;
  return waiting?.revision.startsWith(revision) ? waiting.revision : undefined;
}

function findNamed({ approvals, losing }: Waiting, words: readonly string[]): Approval {
  const wanted = words.join(" ");
  const found = approvals.find((approval) => approvalArguments(approval).join(" ") === wanted);
  if (found) return found;
  const others = [
    ...approvals.map((approval) => `  ${approvalArguments(approval).join(" ")}`),
    ...losing.slice(0, 1).map(({ revision }) => `  prune ${revision}`),
  ];
  const list = others.length === 0 ? "Nothing waits." : `What waits:\n${others.join("\n")}`;
  throw new AlError(`nothing like "${wanted}" waits for approval. ${list}`, {
    code: "nothing-to-approve",
    blame: "user",
    hint: "Compare the fingerprint with what the host itself shows: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
  });
}
