import { AlError } from "../../base/errors.ts";
import { type Approval, approvalArguments, describeApproval } from "../../core/approval.ts";
import type { HostResult } from "../../core/pass.ts";
import { runFleetPass } from "../../reconcile/fleet-pass.ts";
import { askApprovals } from "../ask.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { openProject } from "../project.ts";
import { resultLines } from "../render/results.ts";
import { wakeController } from "../wake.ts";

/**
 * `al approve`: without words it asks about everything that waits (on a terminal) or lists it;
 * with words it approves exactly what they name, and only if that is what really waits.
 */
export async function approve(context: CliContext, words: readonly string[]): Promise<number> {
  const { output, signal } = context;
  const { fleet, remote, grants } = await openProject(context);
  const adapters = compose(context, fleet.project, { grants });
  try {
    const input = { fleet, remote, mode: "plan" } as const;
    const results = await runFleetPass(input, adapters.deps, { signal });
    const waiting = results.flatMap((result) =>
      result.kind === "approval-needed" ? result.approvals : [],
    );
    const prune = consentFor(results, words);
    if (prune !== undefined) {
      adapters.store.consentToPrune(prune, Date.now());
      await wakeController(context.home, fleet.project);
      output.line(`approved: prune ${prune}`);
      output.record({ kind: "approved", prune });
      return EXIT.done;
    }
    if (words.length > 0) {
      const named = findNamed(waiting, words);
      adapters.store.approve(named, Date.now());
      await wakeController(context.home, fleet.project);
      output.line(`approved: ${approvalArguments(named).join(" ")}`);
      output.record({ kind: "approved", approval: named });
      return EXIT.done;
    }
    for (const result of results) {
      if (result.kind === "consent-needed") resultLines(result).forEach(output.line);
      if (result.kind === "unreachable" || result.kind === "failed") output.fail(result.error);
    }
    const exitCode = await answerAll(context, waiting, adapters.store);
    await wakeController(context.home, fleet.project);
    return exitCode;
  } finally {
    adapters.close();
  }
}

async function answerAll(
  { output, interactive }: CliContext,
  waiting: readonly Approval[],
  store: Parameters<typeof askApprovals>[1],
): Promise<number> {
  if (waiting.length === 0) output.line("nothing waits for approval");
  if (waiting.length > 0 && interactive) {
    return (await askApprovals(waiting, store)) ? EXIT.done : EXIT.error;
  }
  output.record({ kind: "waiting", approvals: waiting });
  for (const approval of waiting) {
    output.line(describeApproval(approval));
    output.line(`  al approve ${approvalArguments(approval).join(" ")}`);
  }
  return waiting.length === 0 ? EXIT.done : EXIT.changes;
}

/** The revision that `prune REVISION` names, if it is one that waits for consent. */
function consentFor(
  results: readonly HostResult[],
  [word, revision = ""]: readonly string[],
): string | undefined {
  if (word !== "prune" || !/^[0-9a-f]{7,}$/.test(revision)) return undefined;
  const waiting = results.find((result) => result.kind === "consent-needed");
  return waiting?.revision.startsWith(revision) ? waiting.revision : undefined;
}

function findNamed(waiting: readonly Approval[], words: readonly string[]): Approval {
  const wanted = words.join(" ");
  const found = waiting.find((approval) => approvalArguments(approval).join(" ") === wanted);
  if (found) return found;
  const others = waiting.map((approval) => `  ${approvalArguments(approval).join(" ")}`);
  const list = others.length === 0 ? "Nothing waits." : `What waits:\n${others.join("\n")}`;
  throw new AlError(`nothing like "${wanted}" waits for approval. ${list}`, {
    code: "nothing-to-approve",
    blame: "user",
    hint: "Compare the fingerprint with what the host itself shows: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
  });
}
