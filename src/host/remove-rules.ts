import { AlError } from "../base/errors.ts";
import { chainName } from "../core/names.ts";
import { planRulesRemoval } from "../core/removals.ts";
import type { StepInput } from "./carry-out.ts";
import { runRootScript } from "./root-script.ts";

/**
 * Takes the project's network rules off the host, as its runtime put them there. Idempotent.
 * @returns why they stay, if they do.
 * @throws AlError `rules-failed` (transient) with what iptables said.
 */
export async function removeRules(input: StepInput): Promise<string | undefined> {
  const { docker, spec, observed, signal } = input;
  const { project, host } = spec;
  const removal = planRulesRemoval(project, observed);
  if (removal.kind === "none") return undefined;
  if (removal.kind === "kept") return removal.reason;
  const of = { project, host, image: removal.image, script: removeRulesScript(project) };
  const { code, output } = await runRootScript(docker, of, signal);
  if (code === 0) return undefined;
  const detail = output.trim().slice(-500) || `exit code ${code}`;
  throw new AlError(`host ${host}: its network rules could not be removed: ${detail}`, {
    code: "rules-failed",
    blame: "transient",
  });
}

/**
 * A POSIX shell script, run as root on a host, that takes a project's network rules away: its jumps, then
 * its chains. Repeating it does nothing. Only chains of this project's name are touched.
 */
export function removeRulesScript(project: string): string {
  const drops = [
    `drop iptables ${chainName(project, "FWD")}`,
    `drop iptables ${chainName(project, "IN")}`,
    `drop ip6tables ${chainName(project, "FWD6")}`,
    `drop ip6tables ${chainName(project, "IN6")}`,
  ];
  return [DROP, ...drops].join("\n");
}

const DROP = `set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
drop() {
  command -v "$1" >/dev/null || return 0
  "$1" -w 10 -S "$2" >/dev/null 2>&1 || return 0
  for from in DOCKER-USER FORWARD INPUT; do
    "$1" -w 10 -S "$from" 2>/dev/null | grep '^-A' | grep -n -- "-j $2$" | cut -d: -f1 | sort -rn |
      while read -r number; do "$1" -w 10 -D "$from" "$number"; done
  done
  "$1" -w 10 -F "$2"
  "$1" -w 10 -X "$2"
}`;
