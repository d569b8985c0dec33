import { stdout } from "node:process";
import { desireFleet } from "../../src/core/desire.ts";
import type { HostSpec } from "../../src/core/desired.ts";
import { credentialVersion, type FileHash } from "../../src/core/fingerprint.ts";
import type { ObservedHost } from "../../src/core/observed.ts";
import { planHost } from "../../src/core/plan-host.ts";
import type { PlanScale } from "./plan-scale.ts";
import { inSyncHost, largeProject, newHost, SCALE_ASSETS } from "./plan-scale-fleet.ts";

// Run by plan-scale.ts; prints what it found as JSON.

const HOSTS = 1000;
const AGENTS = 10_000;

const project = largeProject(HOSTS, AGENTS);
const desiring = timed(() => desireFleet(project, SCALE_ASSETS, "2".repeat(40)));
const fleet = desiring.result;
const observed = fleet.hosts.map(({ spec }, index) => observation(spec, index % 3));
const planning = timed(() =>
  fleet.hosts.map(({ spec }, index) =>
    planHost(spec, observed[index] as ObservedHost, credentialFiles(spec)),
  ),
);
const plans = planning.result;
const found: PlanScale = {
  hosts: plans.length,
  placements: fleet.placements.reduce((sum, { hosts }) => sum + hosts.length, 0),
  actions: plans.reduce((sum, plan) => sum + plan.actions.length, 0),
  ms: desiring.ms + planning.ms,
  cpuMs: desiring.cpuMs + planning.cpuMs,
  peakMegabytes: (process.resourceUsage().maxRSS * 1024) / 1e6,
};
stdout.write(`${JSON.stringify(found)}\n`);

function timed<T>(work: () => T) {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const result = work();
  const ms = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpu);
  return { result, ms, cpuMs: (user + system) / 1000 };
}

/** A host that is new (0), one commit behind (1) or in sync (2). */
function observation(spec: HostSpec, kind: number): ObservedHost {
  if (kind === 0) return newHost(spec);
  const hash = kind === 1 ? "0".repeat(64) : spec.release.hash;
  const release = { ...spec.release, hash };
  return inSyncHost({ ...spec, release }, credentialFiles(spec));
}

function credentialFiles(spec: HostSpec): readonly FileHash[] {
  return spec.credentials.flatMap(({ type, instance, fields }) =>
    fields.map((field) => {
      const path = `${type}/${instance}/${field}`;
      return { path, hash: credentialVersion("key", new TextEncoder().encode(path)) };
    }),
  );
}
