import { expect, test } from "vitest";
import { onThisMachine } from "../../../src/cli/this-machine.ts";
import { WebhookTrigger } from "../../../src/config/webhook-filters.ts";
import { desireFleet } from "../../../src/core/desire.ts";
import type { HostSpec } from "../../../src/core/desired.ts";
import type { PublicSite } from "../../../src/core/ingress-config.ts";
import { ingressContainerSpec } from "../../../src/core/ingress-container.ts";
import type { ProjectInput } from "../../../src/core/project-input.ts";
import { needsOfRelease } from "../../../src/core/release-needs.ts";
import { resolveTarget } from "../../../src/core/target.ts";
import { observeMachine } from "../../memory-host/observe.ts";
import { createWorld } from "../../memory-host/world.ts";
import { ASSETS, agent, host, project } from "./project-fixture.ts";

const SITE: PublicSite = {
  ...{ name: "agents.example.com", control: false, trustedProxies: [] },
  tls: { kind: "acme" },
};

/** Two hosts, on both of which an agent listens; the first has the public name. */
function published(site: PublicSite = SITE, over: Partial<ProjectInput> = {}): ProjectInput {
  const webhooks = { acme: { type: "github", allowUnsigned: true, rateLimit: 60 } } as const;
  const listens = [WebhookTrigger.parse({ source: "acme", events: "issues" })];
  const agents = [
    agent("triage", {
      ...{ webhooks: listens, schedule: undefined },
      placement: { hosts: ["one", "two"], replicas: "all" },
    }),
  ];
  const gateway = { port: 8080, lockTimeoutSeconds: 1800, ingress: { host: "one", site } };
  const hosts = [host("one"), host("two")];
  return { ...project([], []), webhooks, agents, gateway, hosts, ...over };
}

function specsOf(input: ProjectInput): readonly HostSpec[] {
  return desireFleet(input, ASSETS, "1".repeat(40)).hosts.map(({ spec }) => spec);
}

function releasedIngress({ release }: HostSpec): unknown {
  const file = release.files.find(({ path }) => path === "project.json");
  return JSON.parse(new TextDecoder().decode(file?.content)).ingress;
}

function targetOf(spec: HostSpec) {
  return resolveTarget(spec, observeMachine(createWorld().machine, spec.project), []);
}

test("one host has the ingress: its container, its image, its certificates and its release", () => {
  const [one, two] = specsOf(published());
  if (!one || !two) throw new TypeError("two hosts are asked for");
  const { ingress, current, inventory } = targetOf(one);
  expect(current.ingress).toBe(ingress?.name);
  expect(inventory.items).toContainEqual({ kind: "certificates", id: SITE.name });
  expect(one.images.map(({ name }) => name)).toContain("ingress");
  expect(releasedIngress(one)).toEqual({ control: false, trustedProxies: [] });
  expect(two).not.toHaveProperty("ingress");
  expect(two.door).toBeDefined();
  expect(two.images.map(({ name }) => name)).not.toContain("ingress");
  expect(releasedIngress(two)).toBeUndefined();
});

test("nothing is public where nothing is received, but for the control API that is to be", () => {
  const agents = [agent("dev")];
  const withControl = (site: PublicSite) => {
    const { gateway } = published(site);
    return specsOf(published(site, { agents, gateway: { ...gateway, control: true } }))[0];
  };
  expect(specsOf(published(SITE, { agents }))[0]).not.toHaveProperty("ingress");
  expect(withControl(SITE)?.door).toBeDefined();
  expect(withControl(SITE)).not.toHaveProperty("ingress");
  expect(withControl({ ...SITE, control: true })).toHaveProperty("ingress");
});

test("an agent that listens where the public name does not lead is noted", () => {
  const away = { hosts: ["two"], replicas: 1 } as const;
  const {
    agents: [triage],
  } = published();
  if (!triage) throw new TypeError("an agent is asked for");
  const agents = [
    triage,
    { ...triage, name: "away", placement: away },
    agent("scheduled", { placement: away }),
  ];
  const notesOf = (input: ProjectInput) =>
    desireFleet(input, ASSETS, "1".repeat(40)).placements.map(({ note }) => note);
  const [unreached, scheduled, reached] = notesOf(published(SITE, { agents }));
  expect(unreached).toBe("no delivery to agents.example.com reaches it: that is host one");
  expect(scheduled).toBeUndefined();
  expect(reached).not.toContain("agents.example.com");
  const gateway = { port: 8080, lockTimeoutSeconds: 1800 };
  expect(notesOf(published(SITE, { agents, gateway }))[0]).toBeUndefined();
});

test("nothing is public on the machine of somebody who develops", () => {
  const [here] = specsOf(onThisMachine(published({ ...SITE, name: "local.example.com" })));
  expect(here).not.toHaveProperty("ingress");
  const atLocal = published();
  const gateway = { ...atLocal.gateway, ingress: { host: "local", site: SITE } };
  const [local] = specsOf(onThisMachine({ ...atLocal, gateway }));
  expect(local).not.toHaveProperty("ingress");
});

test("an ingress holds 80 and 443 of every address, sees two directories and may do nothing", () => {
  const [one] = specsOf(published());
  const { ingress } = targetOf(one as HostSpec);
  if (!ingress) throw new TypeError("this host has no ingress");
  const { projectDir, uid, gid } = ingress;
  const spec = ingressContainerSpec(ingress, {});
  expect(spec.ports.map(({ hostIp, hostPort }) => [hostIp, hostPort])).toEqual([
    ["", 80],
    ["", 443],
  ]);
  expect(spec).toMatchObject({
    ...{ user: `${uid}:${gid}`, groupAdd: [], capDrop: ["ALL"] },
    ...{ readOnlyRoot: true, noNewPrivileges: true },
  });
  expect(spec.mounts.filter(({ kind }) => kind === "bind")).toEqual([
    { kind: "bind", source: `${projectDir}/ingress`, target: "/ingress", readOnly: true },
    {
      ...{ kind: "bind", source: `${projectDir}/certificates/${SITE.name}` },
      ...{ target: "/certificates", readOnly: false },
    },
  ]);
});

test("every setting makes another ingress, and the runtime stays the same", () => {
  const sites: readonly PublicSite[] = [
    SITE,
    { ...SITE, name: "hooks.example.com" },
    { ...SITE, control: true },
    { ...SITE, trustedProxies: ["192.0.2.1"] },
    { ...SITE, tls: { kind: "acme", email: "ops@example.com" } },
    { ...SITE, tls: { kind: "given", certificate: "origin" } },
  ];
  const targets = sites.map((site) => targetOf(specsOf(published(site))[0] as HostSpec));
  expect(new Set(targets.map(({ ingress }) => ingress?.name)).size).toBe(sites.length);
  expect(new Set(targets.map(({ container }) => container.name)).size).toBe(1);
});

test("a given certificate is for the gateway of its host, and the release says so to a push", () => {
  const site: PublicSite = { ...SITE, tls: { kind: "given", certificate: "origin" } };
  const [one, two] = specsOf(published(site));
  const need = {
    ...{ type: "tls_certificate", instance: "origin", agents: ["gateway"] },
    fields: ["certificate", "private_key"],
  };
  expect(one?.credentials).toContainEqual(need);
  expect(two?.credentials).not.toContainEqual(need);
  for (const { host: name, release, credentials } of [one, two] as HostSpec[]) {
    const files = new Map(release.files.map(({ path, content }) => [path, content]));
    expect(needsOfRelease({ host: name, hash: release.hash, files })).toEqual(credentials);
  }
});
