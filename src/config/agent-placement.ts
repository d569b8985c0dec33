import { isEligible } from "../core/placement.ts";
import { labelsText } from "../core/placement-reason.ts";
import type { HostInput, PlacementInput } from "../core/project-input.ts";
import type { AgentConfigFile } from "./agent-config-file.ts";
import { nearestName } from "./nearest-name.ts";
import type { Problem } from "./problems.ts";
import type { TomlFile } from "./toml-file.ts";

/** The hosts of fleet.toml, as far as agents may refer to them. */
export type KnownHosts =
  /** There is no fleet.toml: agents run where it is asked for. */
  | { readonly kind: "none" }
  /** Something is wrong with them: nothing can be said of those who refer to them. */
  | { readonly kind: "unsound" }
  | { readonly kind: "hosts"; readonly hosts: readonly HostInput[] };

/** An agent's placement, and everything that is wrong with it. */
export interface CheckedPlacement {
  /** Undefined where it does not matter. */
  readonly placement: PlacementInput | undefined;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Checks `hosts`, `labels` and `replicas` against the fleet and against each other. */
export function checkPlacement(
  file: TomlFile<AgentConfigFile>,
  known: KnownHosts,
): CheckedPlacement {
  const { hosts, labels = {}, replicas = 1 } = file.value ?? {};
  const placement = { hosts, labels, replicas };
  const alone = replicatedSchedule(file);
  if (known.kind === "unsound") return { placement, problems: alone, warnings: [] };
  if (known.kind === "none") {
    return { placement: undefined, problems: alone, warnings: withoutFleet(file) };
  }
  const named = [...unknownHosts(file, known.hosts), ...unknownLabels(file, known.hosts)];
  // What is asked for by a wrong name is not known, so neither is how much of it there is.
  const fitting = named.length > 0 ? [] : tooFewHosts(file, known.hosts, placement);
  return { placement, problems: [...alone, ...named, ...fitting], warnings: [] };
}

function replicatedSchedule(file: TomlFile<AgentConfigFile>): Problem[] {
  const { schedule, replicas } = file.value ?? {};
  if (schedule === undefined || replicas === undefined || replicas === 1) return [];
  const message = "an agent with a schedule has one replica: several would each start its runs";
  const hint = "take `replicas` or `schedule` out; hosts do not share state yet";
  return [{ ...file.at(["replicas"]), message, hint }];
}

function unknownHosts(file: TomlFile<AgentConfigFile>, known: readonly HostInput[]): Problem[] {
  const names = known.map(({ host }) => host);
  const given = file.value?.hosts ?? [];
  return given.flatMap((name, index): Problem[] => {
    const place = file.at(["hosts", index]);
    if (given.indexOf(name) < index) return [{ ...place, message: `\`${name}\` is named twice` }];
    if (names.includes(name)) return [];
    const meant = nearestName(name, names);
    const message = `no host \`${name}\` in fleet.toml`;
    if (meant) return [{ ...place, message: `${message}; did you mean \`${meant}\`?` }];
    const hint = names.length > 0 ? `it has ${listed(names)}` : "it has no hosts";
    return [{ ...place, message, hint }];
  });
}

function unknownLabels(file: TomlFile<AgentConfigFile>, known: readonly HostInput[]): Problem[] {
  const all = known.flatMap(({ labels }) => Object.entries(labels).map((pair) => pair.join("=")));
  const present = [...new Set(all)].sort();
  return Object.entries(file.value?.labels ?? {}).flatMap(([key, value]): Problem[] => {
    const wanted = `${key}=${value}`;
    if (present.includes(wanted)) return [];
    const meant = nearestName(wanted, present);
    const message = `no host has the label \`${wanted}\``;
    const place = file.at(["labels", key]);
    if (meant) return [{ ...place, message: `${message}; did you mean \`${meant}\`?` }];
    const hint = present.length > 0 ? `labels of hosts: ${listed(present)}` : "no host has labels";
    return [{ ...place, message, hint }];
  });
}

function tooFewHosts(
  file: TomlFile<AgentConfigFile>,
  known: readonly HostInput[],
  placement: PlacementInput,
): Problem[] {
  const { hosts, labels = {}, replicas } = placement;
  const eligible = known.filter((host) => isEligible(host, placement));
  if (eligible.length === 0 && Object.keys(labels).length > 0) {
    const message = hosts
      ? `excludes all of \`hosts\`: none of them has ${labelsText(labels)}`
      : `no host has all of ${labelsText(labels)}`;
    return [{ ...file.at(["labels"]), message }];
  }
  if (replicas === "all" || replicas <= eligible.length || known.length === 0) return [];
  const found = eligible.length === 1 ? "1 host is" : `${eligible.length} hosts are`;
  const message = `${replicas} replicas, but only ${found} eligible`;
  return [{ ...file.at(["replicas"]), message, hint: listed(eligible.map(({ host }) => host)) }];
}

function withoutFleet(file: TomlFile<AgentConfigFile>): Problem[] {
  const { hosts, labels = {}, replicas = 1 } = file.value ?? {};
  const given = [
    ...(hosts ? ["hosts"] : []),
    ...(Object.keys(labels).length > 0 ? ["labels"] : []),
    ...(replicas === 1 ? [] : ["replicas"]),
  ];
  const message = "has no effect: without a fleet.toml there are no hosts to choose from";
  return given.map((key) => ({ ...file.at([key]), message }));
}

const MAX_LISTED = 10;

function listed(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  const shown = names.slice(0, MAX_LISTED).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
