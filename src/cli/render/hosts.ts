import { printable } from "../../base/printable.ts";
import type { Finding } from "../../core/host-health.ts";
import type { HostInput } from "../../core/project-input.ts";
import { formatEndpoint } from "../../transport/dial.ts";
import { tableLines } from "./table.ts";

/** A host of fleet.toml with what the operator's store and fleet.lock.toml have of it. */
export interface KnownOfHost extends HostInput {
  /** Fingerprint of the approved host key. */
  readonly approvedKey?: string | undefined;
  /** Of the next key, while the approved one is being replaced. */
  readonly nextKey?: string | undefined;
  readonly instanceId?: string | undefined;
  /** Public host key of fleet.lock.toml, for people. */
  readonly lockedKey?: string | undefined;
  /** Agents that were live there when it was last seen. */
  readonly agents?: readonly string[] | undefined;
  /** How much of ours it held then. */
  readonly items?: number | undefined;
}

/** `al host ls` as lines. */
export function hostsTable(hosts: readonly KnownOfHost[]): string[] {
  const head = ["HOST", "PROVIDER", "ADDRESS", "USER", "ARCH", "KEY", "AGENTS"];
  const rows = hosts.map((host) => {
    const { host: name, provider, user, architecture, agents } = host;
    const isLocal = provider === "local";
    return [
      ...[name, provider, placeOf(host), isLocal ? "-" : user, architecture],
      ...[isLocal ? "-" : host.approvedKey ? "approved" : "not approved", listed(agents)],
    ];
  });
  return tableLines(head, rows);
}

/** `al host show` as lines. */
export function hostLines(host: KnownOfHost): string[] {
  const labels = Object.entries(host.labels).map(([key, value]) => `${key}=${value}`);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["provider", host.provider],
    ["address", placeOf(host)],
    ["user", host.provider === "local" ? undefined : host.user],
    ["architecture", host.architecture],
    ["labels", labels.sort().join(", ") || undefined],
    ["drift", host.drift],
    ["instance", host.instanceId],
    ["approved key", host.provider === "local" ? undefined : (host.approvedKey ?? "none")],
    ["next key", host.nextKey && `${host.nextKey}; to finish: al host rotate-key ${host.host}`],
    ["key in lock", host.lockedKey],
    ["agents", host.agents && listed(host.agents)],
    ["holds", host.items === undefined ? undefined : `${host.items} things of this project`],
  ];
  const lines = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${name.padEnd(13)} ${printable(value)}`],
  );
  return [host.host, ...lines];
}

/** The findings of one host as lines. */
export function healthLines(
  host: string,
  findings: readonly Finding[],
  unseen: readonly string[],
): string[] {
  const lines = findings.flatMap(({ severity, topic, says, todo }) => [
    `  ${severity.padEnd(7)}  ${topic}: ${printable(says)}`,
    `           ${printable(todo)}`,
  ]);
  const hidden = unseen.length === 0 ? [] : [`  not seen  ${unseen.join("; ")}`];
  return [`${host}: ${countOf(findings)}`, ...lines, ...hidden];
}

function countOf(findings: readonly Finding[]): string {
  const problems = findings.filter(({ severity }) => severity === "problem").length;
  const advice = findings.length - problems;
  if (findings.length === 0) return "nothing to mend";
  const counted = [
    ...(problems > 0 ? [`${problems} ${problems === 1 ? "problem" : "problems"}`] : []),
    ...(advice > 0 ? [`${advice} could be better`] : []),
  ];
  return counted.join(", ");
}

function placeOf({ provider, address, port }: HostInput): string {
  if (provider === "local") return "this machine";
  return address === "" ? "none yet" : formatEndpoint({ address, port });
}

function listed(names: readonly string[] | undefined): string {
  return names === undefined || names.length === 0 ? "-" : names.join(", ");
}
