import { expect, test } from "vitest";
import type { Certificate } from "../../../src/core/certificate-health.ts";
import type { PublicSite } from "../../../src/core/ingress-config.ts";
import {
  judgePublic,
  type Place,
  type PublicHealth,
  type Shown,
} from "../../../src/core/public-health.ts";

const DAY_MS = 24 * 3600 * 1000;
const NOW = Date.parse("2026-03-01T00:00:00Z");
const NAME = "agents.example.com";

const CERTIFICATE: Certificate = {
  fingerprint: "AA:AA",
  fromMs: NOW - 10 * DAY_MS,
  untilMs: NOW + 80 * DAY_MS,
  issuer: "Let's Encrypt",
  isForName: true,
};

const shown = (facts: Partial<Certificate> = {}, trusted = true): Shown => ({
  kind: "certificate",
  certificate: { ...CERTIFICATE, ...facts },
  trusted,
});
const leads = (...addresses: readonly string[]): Place[] =>
  addresses.map((address) => ({ address, shown: { kind: "unreached", answer: "silent" } }));

const ACME: PublicSite = {
  ...{ name: NAME, control: false, trustedProxies: [] },
  tls: { kind: "acme" },
};
const GIVEN: PublicSite = { ...ACME, tls: { kind: "given", certificate: "origin" } };
const BEHIND: PublicSite = { ...GIVEN, trustedProxies: ["173.245.48.0/20"] };

const GOOD: PublicHealth = {
  site: ACME,
  nowMs: NOW,
  remote: "one",
  container: { name: "al-p-ingress-1", state: "running" },
  taken: [80, 443],
  own: ["203.0.113.7", "2001:db8::7"],
  leadsTo: leads("203.0.113.7", "2001:db8:0::7"),
  https: shown(),
  http: "open",
};

test.each<[string, Partial<PublicHealth>]>([
  ["had by ACME", {}],
  ["given, and the one in the store", { site: GIVEN, stored: CERTIFICATE }],
  ["given, and not in this store", { site: GIVEN }],
  [
    "for a proxy's eyes only",
    { site: BEHIND, https: shown({}, false), leadsTo: leads("173.245.48.9") },
  ],
  ["when DNS does not answer", { leadsTo: undefined }],
  [
    "on a host behind another, whose certificate is shown at the name's address",
    { own: ["10.0.0.7"], leadsTo: [{ address: "198.51.100.1", shown: shown() }] },
  ],
])("nothing is found of a good public name: %s", (_what, facts) => {
  expect(judgePublic({ ...GOOD, ...facts })).toEqual([]);
});

type Found = [severity: "problem" | "advice", topic: string, says: string, todo: string];
const LOGS = "al host ssh one -- docker logs al-p-ingress-1";

test.each<[string, Partial<PublicHealth>, ...Found]>([
  [
    "a name that leads nowhere",
    { leadsTo: [] },
    ...(["problem", "dns", "has no address", "A record in DNS say 203.0.113.7"] as const),
  ],
  [
    "a name of another host",
    { leadsTo: leads("192.0.2.9", "2001:db8::7") },
    ...(["problem", "dns", "leads to 192.0.2.9, which", "A record in DNS say 203"] as const),
  ],
  [
    "a proxy that was not named",
    { leadsTo: leads("173.245.48.9") },
    ...(["problem", "dns", "leads to 173.245.48.9", "name it in trustedProxies"] as const),
  ],
  [
    "an IPv6 address of another host",
    { leadsTo: leads("203.0.113.7", "2001:db8::8") },
    ...(["problem", "dns", "2001:db8::8", "AAAA record in DNS say 2001:db8::7"] as const),
  ],
  [
    "an IPv6 address, where the host has none",
    { own: ["203.0.113.7"] },
    ...(["problem", "dns", "2001:db8:0::7", "Take its AAAA record out"] as const),
  ],
  [
    "another's certificate at the name's address",
    { leadsTo: [{ address: "192.0.2.9", shown: shown({ fingerprint: "BB" }) }] },
    ...(["problem", "dns", "192.0.2.9", "203.0.113.7"] as const),
  ],
  [
    "both ports that another has",
    { container: undefined, taken: [80, 443] },
    ...(["problem", "ports", "has ports 80 and 443", "ss -ltnp"] as const),
  ],
  [
    "no ingress",
    { container: undefined, taken: [] },
    ...(["problem", "ports", "there is no ingress", "al apply"] as const),
  ],
  [
    "an ingress that has ended",
    { container: { name: "al-p-ingress-1", state: "exited" }, taken: [] },
    ...(["problem", "ports", "the ingress is exited", LOGS] as const),
  ],
  [
    "a port that another has",
    { container: undefined, taken: [80] },
    ...(["problem", "ports", "something else has port 80", "ss -ltnp"] as const),
  ],
  [
    "a firewall",
    { https: { kind: "unreached", answer: "silent" } },
    ...(["problem", "ports", "port 443 of the host cannot be reached", "firewall"] as const),
  ],
  [
    "a firewall that lets proxies in, perhaps",
    { site: BEHIND, https: { kind: "unreached", answer: "silent" } },
    ...(["advice", "ports", "port 443 of the host cannot be reached", "firewall"] as const),
  ],
  [
    "a firewall at port 80",
    { http: "silent" },
    ...(["advice", "ports", "port 80 of the host cannot be reached", "port 80"] as const),
  ],
  [
    "no certificate yet",
    { https: { kind: "none", says: "tlsv1 alert internal error" } },
    ...(["problem", "certificate", "internal error", LOGS] as const),
  ],
  [
    "no certificate given",
    { site: GIVEN, https: { kind: "none", says: "econnreset" } },
    ...(["problem", "certificate", "econnreset", "al creds add tls_certificate:origin "] as const),
  ],
  [
    "a given one that cannot be used, so that nobody is at the port",
    { site: BEHIND, https: { kind: "unreached", answer: "refused" } },
    ...(["problem", "certificate", "no usable certificate", "al logs --scheduler"] as const),
  ],
  [
    "a port that refuses, where certificates are had by ACME",
    { https: { kind: "unreached", answer: "refused" } },
    ...(["problem", "ports", "port 443 of the host refuses", "firewall"] as const),
  ],
  [
    "a certificate that was not renewed",
    { https: shown({ fromMs: NOW - 80 * DAY_MS, untilMs: NOW + 10 * DAY_MS }) },
    ...(["problem", "certificate", "expires in 10 days, and was not renewed", LOGS] as const),
  ],
  [
    "one that has expired",
    { https: shown({ untilMs: NOW - 1 }, false) },
    ...(["problem", "certificate", "has expired", LOGS] as const),
  ],
  [
    "a given one that expires",
    { site: GIVEN, https: shown({ untilMs: NOW + 20 * DAY_MS }) },
    ...(["advice", "certificate", "expires in 20 days", "al push"] as const),
  ],
  [
    "a given one that expires today",
    { site: GIVEN, https: shown({ untilMs: NOW + 1000 }) },
    ...(["problem", "certificate", "expires today", "al push"] as const),
  ],
  [
    "a given one for another name",
    { site: GIVEN, https: shown({ isForName: false }) },
    ...(["problem", "certificate", "is not for agents.example.com", "al creds add"] as const),
  ],
  [
    "another program's certificate",
    { https: shown({ isForName: false }) },
    ...(["problem", "certificate", "is not for", "Something else answers"] as const),
  ],
  [
    "an issuer that nobody trusts",
    { https: shown({ issuer: "Lab" }, false) },
    ...([
      "problem",
      "certificate",
      "does not trust who signed the certificate: Lab",
      "trust",
    ] as const),
  ],
  [
    "an issuer of one's own that nobody else trusts",
    { site: GIVEN, https: shown({}, false) },
    ...(["advice", "certificate", "does not trust", "trust"] as const),
  ],
  [
    "a newer one in the store",
    { site: GIVEN, stored: { ...CERTIFICATE, fingerprint: "BB" } },
    ...(["advice", "certificate", "another certificate is served", "al push"] as const),
  ],
  [
    "one in the store that expires",
    { site: GIVEN, stored: { ...CERTIFICATE, fingerprint: "BB", untilMs: NOW + DAY_MS } },
    ...(["problem", "certificate", "in your store expires in 1 day", "al creds add"] as const),
  ],
  [
    "one in the store for another name",
    { site: GIVEN, stored: { ...CERTIFICATE, fingerprint: "BB", isForName: false } },
    ...(["problem", "certificate", "in your store is not for", "al creds add"] as const),
  ],
])("%s is found, with what to do", (_what, facts, ...[severity, topic, says, todo]) => {
  expect(judgePublic({ ...GOOD, ...facts })).toEqual([
    { severity, topic, says: expect.stringContaining(says), todo: expect.stringContaining(todo) },
  ]);
});

test("of an ingress that does not run, nothing else is said", () => {
  const unreached = { kind: "unreached", answer: "refused" } as const;
  const facts = { container: undefined, taken: [], https: unreached, http: "refused" } as const;
  expect(judgePublic({ ...GOOD, ...facts })).toHaveLength(1);
});

test("where the store has a newer one than what expires, that is to be delivered", () => {
  const stored = { ...CERTIFICATE, fingerprint: "BB" };
  const https = shown({ untilMs: NOW + 1000 });
  const found = judgePublic({ ...GOOD, site: GIVEN, stored, https });
  expect(found.map(({ severity, todo }) => [severity, todo])).toEqual([
    ["problem", "Deliver the newer one in your store: al push"],
    ["advice", "Deliver it: al push"],
  ]);
});

test("what is on this machine needs no login", () => {
  const container = { name: "al-p-ingress-1", state: "dead" };
  const [found] = judgePublic({ ...GOOD, remote: undefined, container, taken: [] });
  expect(found?.todo).toBe("al apply; its last words: docker logs al-p-ingress-1");
});
