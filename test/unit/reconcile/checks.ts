import { inspect } from "node:util";
import { expect } from "vitest";
import { eventLine, resultLines, resultRecord } from "../../../src/cli/render/results.ts";
import type { HostSpec } from "../../../src/core/desired.ts";
import { LABELS } from "../../../src/core/names.ts";
import type { Current } from "../../../src/core/observed.ts";
import type { HostResult, PassEvent } from "../../../src/core/pass.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { SECRET } from "../../memory-host/tamper.ts";
import type { World } from "../../memory-host/world.ts";

/** `current.json` of acme, or undefined. */
export function currentOf({ projects }: Machine): Current | undefined {
  const text = projects.get("acme")?.current;
  return text === undefined ? undefined : (JSON.parse(text) as Current);
}

/** Names of acme's runtimes that run. */
export function runningRuntimes(machine: Machine): string[] {
  return running(machine, "runtime");
}

/** Names of acme's doors that run. */
export function runningDoors(machine: Machine): string[] {
  return running(machine, "door");
}

/** Names of acme's ingresses that run. */
export function runningIngresses(machine: Machine): string[] {
  return running(machine, "ingress");
}

function running({ containers }: Machine, role: string): string[] {
  return [...containers]
    .filter(([, { state }]) => state === "running")
    .filter(([, { labels }]) => labels[LABELS.project] === "acme")
    .filter(([, { labels }]) => labels[LABELS.role] === role)
    .map(([name]) => name);
}

/** Looks at the machine itself, not at what an observation says of it. */
export function expectConverged({ machine, values }: World, spec: HostSpec): void {
  const files = machine.projects.get("acme");
  const current = currentOf(machine);
  expect(current).toMatchObject({ revision: spec.revision, release: spec.release.hash });
  expect(runningRuntimes(machine)).toEqual([current?.runtime]);
  expectDoor(machine, spec);
  expectIngress(machine, spec);
  const release = files?.releases.get(spec.release.hash);
  expect(Object.fromEntries(release ?? [])).toEqual(
    Object.fromEntries(spec.release.files.map(({ path, content }) => [path, `${content}`])),
  );
  const wanted = spec.credentials.flatMap(({ type, instance, fields }) =>
    fields.map((field) => `${type}/${instance}/${field}`),
  );
  const set = files?.credentials.get(current?.credentials ?? "");
  expect(Object.fromEntries([...(set ?? [])].map(([path, value]) => [path, `${value}`]))).toEqual(
    Object.fromEntries(wanted.map((path) => [path, values.get(path)?.reveal()])),
  );
  for (const { reference, specHash } of spec.images) {
    expect(machine.images.get(reference)).toMatchObject({ [LABELS.specHash]: specHash });
  }
  expect(machine.networks.get("al-acme")).toMatchObject({ subnet: current?.network.subnet });
  expect([...(files?.temporary ?? [])]).toEqual([]);
}

function expectDoor(machine: Machine, { door }: HostSpec): void {
  const name = currentOf(machine)?.door;
  expect(runningDoors(machine)).toEqual(door ? [name] : []);
  const published = machine.containers.get(name ?? "")?.facts?.ports;
  expect(published).toBe(door && `127.0.0.1:${door.outsidePort}->7080`);
}

function expectIngress(machine: Machine, { ingress }: HostSpec): void {
  const name = currentOf(machine)?.ingress;
  expect(runningIngresses(machine)).toEqual(ingress ? [name] : []);
  const published = machine.containers.get(name ?? "")?.facts?.ports;
  expect(published).toBe(ingress && ":443->8443, :80->8080");
  const { certificates } = machine.projects.get("acme") ?? {};
  if (ingress) expect(certificates).toContain(ingress.site.name);
}

/** Nothing that an earlier state or an interrupted pass put there is left, but what runs use. */
export function expectNothingLeftBehind({ machine }: World, spec: HostSpec): void {
  const files = machine.projects.get("acme");
  const current = currentOf(machine);
  expect([...(files?.releases.keys() ?? [])]).toEqual([spec.release.hash]);
  expect([...(files?.credentials.keys() ?? [])]).toEqual([current?.credentials]);
  const own = [...machine.containers].filter(
    ([, { labels }]) => labels[LABELS.project] === spec.project,
  );
  const runs = own.filter(([, { labels }]) => labels[LABELS.role] === "run");
  expect(own.length - runs.length).toBe(1 + (spec.door ? 1 : 0) + (spec.ingress ? 1 : 0));
  expect([...(files?.certificates ?? [])]).toEqual(spec.ingress ? [spec.ingress.site.name] : []);
  const wanted = [...spec.images.map(({ reference }) => reference), ...runs.map(imageOf)];
  const labelled = [...machine.images].filter(([, labels]) => labels[LABELS.specHash]);
  const images = labelled.map(([reference]) => reference).filter((one) => /^al-acme\//.test(one));
  expect(images.sort()).toEqual([...new Set(wanted)].sort());
}

function imageOf([, { image }]: readonly [string, { readonly image: string }]): string {
  return image;
}

/** Collects everything a pass tells, to be searched for what it must never tell. */
export class Told {
  readonly events: PassEvent[] = [];
  readonly results: HostResult[] = [];

  readonly onEvent = (event: PassEvent): void => {
    this.events.push(event);
  };

  /** Remembers a result and gives it back. */
  add(result: HostResult): HostResult {
    this.results.push(result);
    return result;
  }

  /** No credential value anywhere, and no key of versions in what people and machines are shown. */
  expectNoSecret({ machine, approvals }: World): void {
    const keys = [machine.projects.get("acme")?.key, approvals.proposedKey("web-1").reveal()];
    const shown = [
      ...this.events.map((event) => `${eventLine(event)} ${JSON.stringify(event)}`),
      ...this.results.map((result) => JSON.stringify(resultRecord(result))),
      ...this.results.flatMap(resultLines),
    ].join("\n");
    const raw = `${JSON.stringify(this.results)}${inspect(this.results, { depth: 12 })}`;
    expect(`${shown}${raw}`).not.toContain(SECRET);
    expect(keys.filter((key) => key !== undefined && shown.includes(key))).toEqual([]);
  }
}
