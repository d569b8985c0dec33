import type { X509Certificate } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { errnoOf } from "../base/errors.ts";
import type { Certificate } from "../core/certificate-health.ts";
import type { Answer, Place, PublicHealth, Shown } from "../core/public-health.ts";

/** What of a public name is seen from this machine. */
export type PublicLook = Pick<PublicHealth, "leadsTo" | "https" | "http">;

/** How it is looked at. */
export interface PublicLookOptions {
  readonly signal: AbortSignal;
  /** Address and port of the DNS servers that are asked; default: this machine's. */
  readonly servers?: readonly string[];
  /** Default: the usual ones. */
  readonly ports?: { readonly http: number; readonly https: number };
  /** How long a connection may take. Default 5000. */
  readonly timeoutMs?: number;
}

const PORTS = { http: 80, https: 443 };

/** Whoever holds a name can give it any number. */
const MAX_PLACES = 8;

/** Asks DNS for a public name, and connects to what it leads to and to `address`, the host's own. */
export async function lookAtPublic(
  name: string,
  address: string,
  { signal, servers, ports = PORTS, timeoutMs = 5000 }: PublicLookOptions,
): Promise<PublicLook> {
  const bounds = {
    signal: AbortSignal.any([signal, AbortSignal.timeout(3 * timeoutMs)]),
    timeoutMs,
  };
  const show = (host: string) => shownAt({ host, port: ports.https }, name, bounds);
  const places = async (): Promise<readonly Place[] | undefined> => {
    const found = await addressesOf(name, { servers, signal: bounds.signal });
    const some = found?.slice(0, MAX_PLACES);
    return some && Promise.all(some.map(async (one) => ({ address: one, shown: await show(one) })));
  };
  const [leadsTo, https, http] = await Promise.all([
    places(),
    show(address),
    answerAt({ host: address, port: ports.http }, bounds),
  ]);
  signal.throwIfAborted();
  return { leadsTo, https, http };
}

/** What is judged of a certificate. */
export function certificateOf(found: X509Certificate, name: string): Certificate {
  const issuer = new Map(
    found.issuer.split("\n").map((line) => line.split("=", 2) as [string, string | undefined]),
  );
  return {
    fingerprint: found.fingerprint256,
    fromMs: Date.parse(found.validFrom),
    untilMs: Date.parse(found.validTo),
    issuer: issuer.get("O") ?? issuer.get("CN") ?? "unnamed",
    isForName: found.checkHost(name) !== undefined,
  };
}

/** What this machine's /etc/hosts says is nobody else's business, so DNS itself is asked. */
async function addressesOf(
  name: string,
  {
    servers,
    signal,
  }: { readonly servers: readonly string[] | undefined; readonly signal: AbortSignal },
): Promise<readonly string[] | undefined> {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  if (servers) resolver.setServers(servers);
  const cancel = () => resolver.cancel();
  signal.addEventListener("abort", cancel);
  const asked = [resolver.resolve4(name), resolver.resolve6(name)];
  const found = await Promise.all(asked.map((answer) => answer.catch(noneOrUnknown)));
  signal.removeEventListener("abort", cancel);
  const known = found.flatMap((addresses) => addresses ?? []);
  return known.length === 0 && found.includes(undefined) ? undefined : known;
}

/** Empty where DNS says that there is none; undefined where it says nothing. */
function noneOrUnknown(thrown: unknown): string[] | undefined {
  return ["ENODATA", "ENOTFOUND"].includes(errnoOf(thrown) ?? "") ? [] : undefined;
}

interface Bounds {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

async function answerAt(to: Target, bounds: Bounds): Promise<Answer> {
  const { socket, answer } = await dial(to, bounds);
  socket.destroy();
  return answer;
}

/** The certificate is looked at whoever signed it; what it is worth is judged elsewhere. */
async function shownAt(to: Target, name: string, bounds: Bounds): Promise<Shown> {
  const { socket, answer } = await dial(to, bounds);
  if (answer !== "open") return { kind: "unreached", answer };
  const secure = connectTls({
    ...{ socket, servername: name, rejectUnauthorized: false },
    checkServerIdentity: () => undefined,
  });
  secure.on("error", () => secure.destroy());
  try {
    await once(secure, "secureConnect", { signal: limitOf(bounds) });
    const certificate = secure.getPeerX509Certificate();
    if (!certificate) return { kind: "none", says: "no certificate was shown" };
    const { authorized: trusted } = secure;
    return { kind: "certificate", certificate: certificateOf(certificate, name), trusted };
  } catch (thrown) {
    return { kind: "none", says: saysOf(thrown) };
  } finally {
    secure.destroy();
    socket.destroy();
  }
}

async function dial(
  to: Target,
  bounds: Bounds,
): Promise<{ readonly socket: Socket; readonly answer: Answer }> {
  const socket = connect({ ...to, autoSelectFamily: true });
  // It may fail at any later time, too.
  socket.on("error", () => socket.destroy());
  try {
    await once(socket, "connect", { signal: limitOf(bounds) });
    return { socket, answer: "open" };
  } catch (thrown) {
    socket.destroy();
    return { socket, answer: errnoOf(thrown) === "ECONNREFUSED" ? "refused" : "silent" };
  }
}

function limitOf({ signal, timeoutMs }: Bounds): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
}

/** `ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR` in words. */
function saysOf(thrown: unknown): string {
  const code = errnoOf(thrown) ?? "";
  if (code === "ABORT_ERR") return "the handshake was not answered";
  return (
    code
      .replace(/^ERR_SSL_/, "")
      .replaceAll("_", " ")
      .toLowerCase() || String(thrown)
  );
}
