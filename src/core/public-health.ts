import {
  addCommand,
  type Certificate,
  judgeCertificate,
  judgeStored,
} from "./certificate-health.ts";
import type { Finding } from "./host-health.ts";
import type { PublicSite } from "./ingress-config.ts";
import { ipRange, parseIpRange } from "./ip-range.ts";

/** What was found of a public name and of the host whose address it should have. */
export interface PublicHealth {
  readonly site: PublicSite;
  readonly nowMs: number;
  /** The host to log in at; undefined where it is this machine. */
  readonly remote: string | undefined;
  /** The ingress's container on the host; undefined where there is none. */
  readonly container: { readonly name: string; readonly state: string } | undefined;
  /** Which of ports 80 and 443 something on the host has. */
  readonly taken: readonly number[];
  /** The host's own addresses, those that others may know first. */
  readonly own: readonly string[];
  /** What DNS says the name leads to; undefined where DNS did not answer. */
  readonly leadsTo: readonly Place[] | undefined;
  /** What is at the host's address, port 443. */
  readonly https: Shown;
  /** What is at its port 80. */
  readonly http: Answer;
  /** The given certificate in the operator's store; undefined where there is none. */
  readonly stored?: Certificate | undefined;
}

/** What came of connecting to a port from this machine: `silent` when nothing did. */
export type Answer = "open" | "refused" | "silent";

/** What came of a TLS handshake for the public name. */
export type Shown =
  | { readonly kind: "certificate"; readonly certificate: Certificate; readonly trusted: boolean }
  /** Somebody answered, without a certificate; `says` is the handshake's error. */
  | { readonly kind: "none"; readonly says: string }
  | { readonly kind: "unreached"; readonly answer: Exclude<Answer, "open"> };

/** An address of the name, and what is at its port 443. */
export interface Place {
  readonly address: string;
  readonly shown: Shown;
}

/** Judges whether a public name leads to its host, and whether it is served there with a sound certificate. */
export function judgePublic(health: PublicHealth): readonly Finding[] {
  return [...judgeName(health), ...judgeIngress(health), ...judgeStored(health)];
}

/** The host's other addresses are not known where it is behind another: the same certificate proves it, too. */
function judgeName({ site, own, leadsTo, https }: PublicHealth): Finding[] {
  const { name } = site;
  if (leadsTo === undefined) return [];
  if (leadsTo.length === 0)
    return [problem("dns", `${name} has no address`, addressTodo(own, "v4"))];
  // What the name leads to is the proxy.
  if (site.trustedProxies.length > 0) return [];
  const ranges = new Set(own.map(ipRange));
  const wrong = leadsTo.filter(
    ({ address, shown }) => !ranges.has(ipRange(address)) && !isSame(shown, https),
  );
  return wrong.map(({ address }) => {
    const says = `${name} leads to ${address}, which is not this host`;
    const todo = addressTodo(own, parseIpRange(address).family);
    return problem("dns", says, `${todo} ${PROXY_TODO}`);
  });
}

const PROXY_TODO =
  "Or, if that is a proxy of yours, name it in trustedProxies of [gateway] of config.toml.";

function addressTodo(own: readonly string[], family: "v4" | "v6"): string {
  const address = own.find((one) => parseIpRange(one).family === family);
  const record = family === "v4" ? "A" : "AAAA";
  if (address !== undefined) return `Let its ${record} record in DNS say ${address}.`;
  return family === "v4"
    ? "Let its A record in DNS say the host's address."
    : "Take its AAAA record out of DNS: no IPv6 address of this host is known.";
}

function isSame(one: Shown, other: Shown): boolean {
  if (one.kind !== "certificate" || other.kind !== "certificate") return false;
  return one.certificate.fingerprint === other.certificate.fingerprint;
}

function judgeIngress(health: PublicHealth): Finding[] {
  const { site, container, taken } = health;
  if (container?.state === "running") return judgeServed(health, container.name);
  if (taken.length > 0) {
    const ports = `port${taken.length > 1 ? "s" : ""} ${taken.join(" and ")}`;
    const says = `the ingress is not running, and something else has ${ports}`;
    const todo =
      "See what it is (ss -ltnp; docker ps), and end it; or take `public` out of [gateway] of config.toml.";
    return [problem("ports", says, todo)];
  }
  if (container === undefined) {
    const says = `nothing serves ${site.name}: there is no ingress`;
    const todo = "al apply makes it, where an agent on this host listens to webhooks.";
    return [problem("ports", says, todo)];
  }
  const says = `nothing serves ${site.name}: the ingress is ${container.state}`;
  return [problem("ports", says, `al apply; its last words: ${logsOf(health, container.name)}`)];
}

function judgeServed(health: PublicHealth, container: string): Finding[] {
  const { https, site } = health;
  const logs = logsOf(health, container);
  // Caddy is not started without a usable one, so nobody listens.
  if (site.tls.kind === "given" && https.kind === "unreached" && https.answer === "refused") {
    return [withoutCertificate(site, "nothing listens at port 443", logs)];
  }
  if (https.kind === "unreached") {
    // A firewall may let the proxies in and nobody else.
    const severity = site.trustedProxies.length > 0 ? "advice" : "problem";
    const says = `port 443 ${SAYS[https.answer]}`;
    return [{ severity, topic: "ports", says, todo: firewallTodo(443) }];
  }
  return [
    ...judgePlain(health),
    ...(https.kind === "none"
      ? [withoutCertificate(site, https.says, logs)]
      : judgeCertificate(https, health, logs)),
  ];
}

const SAYS = {
  refused: "of the host refuses connections from here",
  silent: "of the host cannot be reached from here",
} as const;

/** A certificate can be had through port 443 alone, so nothing fails. */
function judgePlain({ site, http }: PublicHealth): Finding[] {
  if (http === "open" || site.tls.kind === "given") return [];
  const says = `port 80 ${SAYS[http]}: certificates are had through port 443 alone`;
  return [{ severity: "advice", topic: "ports", says, todo: firewallTodo(80) }];
}

function firewallTodo(port: number): string {
  return `Let TCP to port ${port} of the host through: the provider's firewall (al provision, where it made the machine), and its own.`;
}

function withoutCertificate({ name, tls }: PublicSite, says: string, logs: string): Finding {
  const said = `the ingress has no usable certificate for ${name} (${says})`;
  const todo =
    tls.kind === "given"
      ? `Store one with its key and deliver them: ${addCommand(tls.certificate)}, then: al push. What became of it on the host: al logs --scheduler`
      : `Its issuer must find the host under that name, at port 443 or 80. What it said: ${logs}`;
  return problem("certificate", said, todo);
}

function logsOf({ remote }: PublicHealth, container: string): string {
  const command = `docker logs ${container}`;
  return remote === undefined ? command : `al host ssh ${remote} -- ${command}`;
}

function problem(topic: Finding["topic"], says: string, todo: string): Finding {
  return { severity: "problem", topic, says, todo };
}
