import type { Finding } from "./host-health.ts";
import type { PublicSite } from "./ingress-config.ts";

/** A certificate, as far as it is judged. */
export interface Certificate {
  /** SHA-256 of all of it, in hex. */
  readonly fingerprint: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Who signed it. */
  readonly issuer: string;
  /** It is for the public name. */
  readonly isForName: boolean;
}

/** What certificates are judged by. */
interface Around {
  readonly site: PublicSite;
  readonly nowMs: number;
  readonly stored?: Certificate | undefined;
}

const DAY_MS = 24 * 3600 * 1000;
/** Somebody has to see to a given certificate. */
const SOON_MS = { problem: 14 * DAY_MS, advice: 30 * DAY_MS };
/** Caddy renews when a third of the time is left. */
const OVERDUE_SHARE = 1 / 6;

/** Judges what the ingress shows; `logs` is the command that shows what Caddy said. */
export function judgeCertificate(
  { certificate, trusted }: { readonly certificate: Certificate; readonly trusted: boolean },
  around: Around,
  logs: string,
): Finding[] {
  const { site, nowMs, stored } = around;
  const { name, tls } = site;
  if (!certificate.isForName) {
    return [finding("problem", `the certificate is not for ${name}`, otherTodo(site))];
  }
  if (tls.kind === "given") {
    const isOld = stored?.isForName && stored.untilMs > certificate.untilMs;
    const todo = isOld ? "Deliver the newer one in your store: al push" : otherTodo(site);
    const late = judgeGiven(certificate, "the certificate", { nowMs, todo });
    return [...late, ...judgeTrust(certificate.issuer, trusted || late.length > 0, site)];
  }
  const leftMs = certificate.untilMs - nowMs;
  if (leftMs < (certificate.untilMs - certificate.fromMs) * OVERDUE_SHARE) {
    const says = `the certificate ${expires(leftMs)}, and was not renewed`;
    return [finding("problem", says, `What its issuer said: ${logs}`)];
  }
  return judgeTrust(certificate.issuer, trusted, site);
}

/** Judges a given certificate that is in the operator's store and not what is served. */
export function judgeStored({ site, nowMs, stored, https }: Stored): Finding[] {
  if (stored === undefined || site.tls.kind !== "given") return [];
  const served = https.kind === "certificate" ? https.certificate?.fingerprint : undefined;
  if (served === stored.fingerprint) return [];
  const called = `tls_certificate:${site.tls.certificate}`;
  if (!stored.isForName) {
    return [finding("problem", `${called} in your store is not for ${site.name}`, otherTodo(site))];
  }
  const late = judgeGiven(stored, `${called} in your store`, { nowMs, todo: otherTodo(site) });
  if (late.length > 0 || served === undefined) return late;
  const says = `another certificate is served than ${called} in your store`;
  return [finding("advice", says, "Deliver it: al push")];
}

interface Stored extends Around {
  readonly https: { readonly kind: string; readonly certificate?: Certificate };
}

function judgeGiven(
  { untilMs }: Certificate,
  called: string,
  { nowMs, todo }: { readonly nowMs: number; readonly todo: string },
): Finding[] {
  const leftMs = untilMs - nowMs;
  if (leftMs >= SOON_MS.advice) return [];
  const severity = leftMs < SOON_MS.problem ? "problem" : "advice";
  return [finding(severity, `${called} ${expires(leftMs)}`, todo)];
}

/** Who comes through a proxy sees the proxy's certificate. */
function judgeTrust(
  issuer: string,
  trusted: boolean,
  { tls, trustedProxies }: PublicSite,
): Finding[] {
  if (trusted || (tls.kind === "given" && trustedProxies.length > 0)) return [];
  const says = `this machine does not trust who signed the certificate: ${issuer}`;
  const todo =
    "Whoever sends must trust that issuer, and be shown all certificates in between; GitHub does not send else.";
  const isChosen = tls.kind === "given" || tls.directory !== undefined;
  return [finding(isChosen ? "advice" : "problem", says, todo)];
}

function otherTodo({ name, tls }: PublicSite): string {
  return tls.kind === "given"
    ? `Store one for ${name} and deliver it: ${addCommand(tls.certificate)}, then: al push`
    : "Something else answers at port 443. What it is: ss -ltnp; docker ps";
}

/** The command that stores a given certificate. */
export function addCommand(instance: string): string {
  return `al creds add tls_certificate:${instance} --field certificate=@FILE --field private_key=@FILE`;
}

function expires(leftMs: number): string {
  if (leftMs <= 0) return "has expired";
  const days = Math.floor(leftMs / DAY_MS);
  return days === 0 ? "expires today" : `expires in ${days} ${days === 1 ? "day" : "days"}`;
}

function finding(severity: Finding["severity"], says: string, todo: string): Finding {
  return { severity, topic: "certificate", says, todo };
}
