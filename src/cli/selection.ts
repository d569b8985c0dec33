import { InvalidArgumentError } from "commander";
import type { FleetSpec } from "../core/desired.ts";
import { type HostSelection, selectHosts } from "../core/select-hosts.ts";
import type { Project } from "./project.ts";
import type { Output } from "./render/output.ts";

/** `--host` and `--label`, and `--all` where there is such a flag, as they were given. */
export interface SelectionFlags {
  readonly all?: boolean;
  readonly host?: readonly string[];
  readonly label?: Readonly<Record<string, string>>;
}

/** Every host. */
export const EVERYTHING: HostSelection = { hosts: [], labels: {} };

/** What the flags of a command select. */
export function selectionOf({ host = [], label = {} }: SelectionFlags): HostSelection {
  return { hosts: host, labels: label };
}

/** True when the flags say themselves which hosts are meant. */
export function isSaid({ all = false, host = [], label = {} }: SelectionFlags): boolean {
  return all || host.length > 0 || Object.keys(label).length > 0;
}

/** Adds one `--host NAME` to those before it. */
export function oneMoreHost(name: string, before: readonly string[] = []): readonly string[] {
  return [...before, name];
}

/** Adds one `--label KEY=VALUE` to those before it. */
export function oneMoreLabel(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, key, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError("It must be KEY=VALUE.");
  }
  if (Object.hasOwn(before, key) && before[key] !== value) {
    throw new InvalidArgumentError(
      `A host has one value for ${key}, and ${before[key]} was asked.`,
    );
  }
  return { ...before, [key]: value };
}

/** A project with only the selected hosts in its fleet. */
export interface Narrowed extends Project {
  /** All hosts of the revision: one that was not selected has not left the fleet. */
  readonly whole: FleetSpec;
  /** Names of the selected hosts; absent when that is all of them. */
  readonly only?: ReadonlySet<string>;
}

/** The project with only the selected hosts in its fleet; says which are left out. */
export function narrowed(project: Project, selection: HostSelection, output: Output): Narrowed {
  const { fleet, leftOut } = selectHosts(project.fleet, selection);
  const all = { ...project, fleet, whole: project.fleet };
  if (leftOut.length === 0) return all;
  output.progress(`left out: ${leftOut.join(", ")}`);
  return { ...all, only: new Set(fleet.hosts.map(({ spec }) => spec.host)) };
}
