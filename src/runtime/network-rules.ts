import { type ChainKind, CONTAINER_API_PORT, chainName } from "../core/names.ts";
import type { NetworkSpec } from "../core/observed.ts";
import { quoteArgv } from "../transport/quote.ts";

/** A chain of ours, the rules in it, and the built-in chain that must jump to it before anything else. */
interface OwnChain {
  readonly chain: string;
  /** The first of these that exists. */
  readonly from: readonly string[];
  readonly rules: readonly (readonly string[])[];
}

/** Starts the comment of every jump of ours, so that projects leave each other's in place. */
const TAG = "action-llama";

/**
 * A POSIX shell script, run as root on the host, that puts the rules on a project's bridge: runs reach
 * the container API and the outside, neither the host, nor each other, nor a metadata service.
 * It prints `ok` when all was in place and `changed` when it had to act, and fails when the rules are
 * not in place afterwards. Each chain is replaced as a whole, so that there is no moment without.
 */
export function networkRulesScript(project: string, network: NetworkSpec): string {
  return rulesScript(project, network, ensure);
}

/** A script that only looks, and changes nothing: it prints `ok` or `missing`. */
export function lookAtRulesScript(project: string, network: NetworkSpec): string {
  return rulesScript(project, network, look).replace(/echo changed;/, "echo missing;");
}

type Part = (program: string, own: OwnChain, jump: readonly string[]) => string;

function rulesScript(project: string, network: NetworkSpec, part: Part): string {
  const jump = ["-i", network.bridge, "-m", "comment", "--comment", `${TAG}:${project}`];
  const ipv4 = [forwardChain(project, network), inputChain(project, network)];
  const ipv6 = (["FWD6", "IN6"] as const).map((kind) => refuseAll(project, kind));
  return [
    PRELUDE,
    ...ipv4.map((own) => part("iptables", own, jump)),
    "if command -v ip6tables >/dev/null && ip6tables -w 10 -S INPUT >/dev/null 2>&1; then",
    ...ipv6.map((own) => part("ip6tables", own, jump)),
    "fi",
    'if [ "$changed" = 1 ]; then echo changed; else echo ok; fi',
  ].join("\n");
}

function forwardChain(project: string, { bridge }: NetworkSpec): OwnChain {
  return {
    chain: chainName(project, "FWD"),
    from: ["DOCKER-USER", "FORWARD"],
    rules: [...refuse("-d", "169.254.0.0/16"), ...refuse("-o", bridge), ["-j", "RETURN"]],
  };
}

function inputChain(project: string, { gateway }: NetworkSpec): OwnChain {
  const port = String(CONTAINER_API_PORT);
  return {
    chain: chainName(project, "IN"),
    from: ["INPUT"],
    rules: [
      ["-d", `${gateway}/32`, "-p", "tcp", "-m", "tcp", "--dport", port, "-j", "ACCEPT"],
      ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"],
      ...refuse(),
    ],
  };
}

/** The network has no IPv6; what a run could still do with it on the link is refused. */
function refuseAll(project: string, kind: ChainKind): OwnChain {
  const from = kind === "IN6" ? ["INPUT"] : ["DOCKER-USER", "FORWARD"];
  return { chain: chainName(project, kind), from, rules: [["-j", "REJECT"]] };
}

/** TCP is told at once; everything else gets ICMP. */
function refuse(...match: readonly string[]): string[][] {
  return [
    [...match, "-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset"],
    [...match, "-j", "REJECT", "--reject-with", "icmp-port-unreachable"],
  ];
}

const PRELUDE = `set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
changed=0
# leads PROGRAM FROM CHAIN: true when nothing but jumps of ours comes before the jump to CHAIN.
leads() {
  "$1" -w 10 -S "$2" | while read -r action _ rule; do
    [ "$action" = -A ] || continue
    case "$rule" in
      *"-j $3") echo yes; break ;;
      *${TAG}:*) ;;
      *) break ;;
    esac
  done
}
# only_first PROGRAM FROM CHAIN: deletes the later ones of several jumps to CHAIN, last first.
only_first() {
  "$1" -w 10 -S "$2" | grep '^-A' | grep -n -- "-j $3$" | cut -d: -f1 | tail -n +2 | sort -rn |
    while read -r number; do "$1" -w 10 -D "$2" "$number"; done
}`;

/** Shell lines that define how one chain is checked; gives the name of the check. */
function defineCheck(
  program: string,
  { chain, from, rules }: OwnChain,
): { readonly check: string; readonly lines: readonly string[] } {
  const call = callOf(program);
  const checks = rules.map((rule) => `${call("-C", chain, ...rule)} 2>/dev/null`);
  const count = `[ "$(${call("-S", chain)} 2>/dev/null | grep -c '^-A')" = ${rules.length} ]`;
  const [first = "", second = first] = from;
  const check = `check_${chain.replaceAll("-", "_")}`;
  const leads = `[ "$(leads ${program} "$from" ${chain})" = yes ]`;
  const lines = [
    `from=${first}; ${call("-S", first)} >/dev/null 2>&1 || from=${second}`,
    `${check}() { ${[...checks, count, leads].join(" && ")}; }`,
  ];
  return { check, lines };
}

/** Shell lines that check one chain and note when something is not as it should be. */
function look(program: string, own: OwnChain): string {
  const { check, lines } = defineCheck(program, own);
  return [...lines, `${check} || changed=1`].join("\n");
}

/**
 * Shell lines that check one chain and, only if something is not as it should be, replace its content
 * in one transaction and put the jump to it first; then they check again.
 */
function ensure(program: string, own: OwnChain, jump: readonly string[]): string {
  const { chain, rules } = own;
  const { check, lines } = defineCheck(program, own);
  const restore = [
    "*filter",
    `:${chain} - [0:0]`,
    ...rules.map((rule) => `-A ${chain} ${rule.join(" ")}`),
  ];
  const body = [...restore, "COMMIT", ""].join("\n");
  return [
    ...lines,
    `if ! ${check}; then`,
    "  changed=1",
    `  printf '%s' ${words(body)} | ${program}-restore -w 10 --noflush`,
    `  ${program} -w 10 -I "$from" 1 ${words(...jump, "-j", chain)}`,
    `  only_first ${program} "$from" ${chain}`,
    `  ${check} || { echo "${program}: the rules of ${chain} did not stay" >&2; exit 1; }`,
    "fi",
  ].join("\n");
}

function callOf(program: string) {
  return (...argv: readonly string[]) => quoteArgv([program, "-w", "10", ...argv]);
}

/** Arguments as shell words; `quoteArgv` wants a program first. */
function words(...argv: readonly string[]): string {
  return quoteArgv(["x", ...argv]).slice("'x' ".length);
}
