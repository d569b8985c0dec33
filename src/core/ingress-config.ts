import type { Json } from "../base/canonical-json.ts";
import {
  CERTIFICATES_MOUNT,
  GIVEN_CERTIFICATE,
  INGRESS_DOOR,
  INGRESS_MOUNT,
  INGRESS_PORTS,
} from "./names.ts";

/** What is public under one name, and how its certificate is had. */
export interface PublicSite {
  /** The name that senders use: `agents.example.com`. */
  readonly name: string;
  /** The control API is there too. */
  readonly control: boolean;
  /** Addresses and ranges of proxies whose word on a client's address is taken. */
  readonly trustedProxies: readonly string[];
  readonly tls: PublicTls;
}

/** Had from a directory of ACME, Caddy's own choice when absent; or given, as an instance of `tls_certificate`. */
export type PublicTls =
  | {
      readonly kind: "acme";
      readonly email?: string | undefined;
      readonly directory?: string | undefined;
    }
  | { readonly kind: "given"; readonly certificate: string };

/** The instance of `tls_certificate` that a site's certificate is given as; undefined where it is had by ACME. */
export function givenCertificate({ tls }: PublicSite): string | undefined {
  return tls.kind === "given" ? tls.certificate : undefined;
}

/** Paths that are public, always. */
const WEBHOOK_PATHS = ["/webhooks/*"];
/** Paths of the control API, and of its description. */
export const CONTROL_PATHS = ["/control/*", "/api/*", "/openapi.json"];

/** The gateway's own limit is lower and says more; this one is for what would never end. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const MAX_HEADER_BYTES = 32 * 1024;

/**
 * Caddy's configuration for one public name, as its JSON. Pure. What is not named here is 404 before it
 * reaches the runtime; nothing but HTTPS leads anywhere.
 */
export function caddyConfig(site: PublicSite): Json {
  return {
    admin: { disabled: true, config: { persist: false } },
    storage: { module: "file_system", root: CERTIFICATES_MOUNT },
    apps: {
      http: {
        http_port: INGRESS_PORTS.http,
        https_port: INGRESS_PORTS.https,
        // A given certificate that is replaced is a gap of this long, where answers are under way.
        grace_period: "1s",
        servers: { public: publicServer(site), plain: plainServer() },
      },
      tls: certificates(site),
    },
  };
}

function publicServer({ name, control, trustedProxies, tls }: PublicSite): Json {
  const path = control ? [...WEBHOOK_PATHS, ...CONTROL_PATHS] : WEBHOOK_PATHS;
  return {
    listen: [`:${INGRESS_PORTS.https}`],
    // HTTP/3 would need UDP, which is not published; in HTTP/2 Debian's Caddy can be kept busy for next to nothing.
    protocols: ["h1"],
    read_header_timeout: "10s",
    read_timeout: "35s",
    idle_timeout: "60s",
    max_header_bytes: MAX_HEADER_BYTES,
    strict_sni_host: true,
    // A given certificate is served for the names that it has; nobody is asked for another one.
    ...(tls.kind === "given"
      ? { automatic_https: { disable: true }, tls_connection_policies: [{}] }
      : { automatic_https: { disable_redirects: true } }),
    routes: [
      {
        match: [{ host: [name], path: [...path] }],
        handle: [{ handler: "request_body", max_size: MAX_BODY_BYTES }, toDoor(trustedProxies)],
        terminal: true,
      },
      { handle: [answer(404, { error: "no such route", code: "not-found" })] },
    ],
    errors: { routes: [{ match: [{ expression: AWAY }], handle: [notServing()] }] },
  };
}

/** What the door gives is passed on, its 503 included; this is for when it gives nothing. */
const AWAY = "{http.error.status_code} >= 502 && {http.error.status_code} <= 504";

/** One request to a connection, which the door demands: none is sent into a connection that is being closed. */
function toDoor(trustedProxies: readonly string[]): Json {
  return {
    handler: "reverse_proxy",
    upstreams: [{ dial: `unix/${INGRESS_DOOR}` }],
    transport: { protocol: "http", dial_timeout: "2s", keep_alive: { enabled: false } },
    ...(trustedProxies.length > 0 && { trusted_proxies: [...trustedProxies] }),
  };
}

/** A secret that was sent in the clear is lost: a redirect would only hide it. Challenges of ACME come first. */
function plainServer(): Json {
  const hint = "Use the same address with https.";
  const refusal = { error: "only HTTPS is served here", code: "https-only", hint };
  return {
    listen: [`:${INGRESS_PORTS.http}`],
    protocols: ["h1"],
    read_header_timeout: "10s",
    read_timeout: "10s",
    idle_timeout: "10s",
    max_header_bytes: MAX_HEADER_BYTES,
    routes: [{ handle: [answer(403, refusal)] }],
  };
}

function notServing(): Json {
  return answer(
    503,
    {
      error: "the runtime of this project does not answer at the moment",
      code: "not-serving",
      hint: "Send it again. What became of the runtime: al status",
    },
    { "Retry-After": ["5"] },
  );
}

function answer(
  status: number,
  body: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string[]>> = {},
): Json {
  return {
    handler: "static_response",
    status_code: status,
    headers: { "Content-Type": ["application/json"], ...headers },
    body: `${JSON.stringify(body)}\n`,
  };
}

function certificates({ name, tls }: PublicSite): Json {
  if (tls.kind === "given") {
    const file = `${INGRESS_MOUNT}/${GIVEN_CERTIFICATE}`;
    return { certificates: { load_files: [{ certificate: file, key: file }] } };
  }
  const issuer = {
    module: "acme",
    ...(tls.directory !== undefined && { ca: tls.directory }),
    ...(tls.email !== undefined && { email: tls.email }),
  };
  return { automation: { policies: [{ subjects: [name], issuers: [issuer] }] } };
}
