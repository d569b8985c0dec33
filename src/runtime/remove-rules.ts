import { chainName } from "./network-rules.ts";

/**
 * A POSIX shell script, run as root on a host, that takes a project's network rules away: its jumps, then
 * its chains. Prints nothing; repeating it does nothing. Only chains of this project's name are touched.
 */
export function removeRulesScript(project: string): string {
  const chains = [
    ["iptables", "FWD"],
    ["iptables", "IN"],
    ["ip6tables", "FWD6"],
    ["ip6tables", "IN6"],
  ].map(([program, kind = ""]) => `drop ${program} ${chainName(project, kind)}`);
  return [DROP, ...chains].join("\n");
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
