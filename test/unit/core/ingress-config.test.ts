import { expect, test } from "vitest";
import { canonicalJson } from "../../../src/base/canonical-json.ts";
import { caddyConfig, type PublicSite } from "../../../src/core/ingress-config.ts";

const SITE: PublicSite = {
  name: "agents.example.com",
  control: false,
  trustedProxies: [],
  tls: { kind: "acme" },
};

/** The parts that a test looks at. */
interface Config {
  readonly apps: {
    readonly http: {
      readonly servers: {
        readonly public: {
          readonly protocols: readonly string[];
          readonly routes: readonly {
            readonly match?: readonly { readonly path: readonly string[] }[];
            readonly handle: readonly Readonly<Record<string, unknown>>[];
          }[];
        };
      };
    };
    readonly tls: { readonly automation: { readonly policies: readonly object[] } };
  };
}

function configOf(over: Partial<PublicSite> = {}): Config {
  return caddyConfig({ ...SITE, ...over }) as unknown as Config;
}

function publicPaths(over: Partial<PublicSite> = {}): readonly string[] {
  const { routes } = configOf(over).apps.http.servers.public;
  return routes.flatMap(({ match = [] }) => match.flatMap(({ path }) => path));
}

test("webhooks alone are public, and the control API where it was asked for", () => {
  expect(publicPaths()).toEqual(["/webhooks/*"]);
  expect(publicPaths({ control: true })).toEqual([
    ...["/webhooks/*", "/control/*", "/api/*", "/openapi.json"],
  ]);
});

test("whatever is not public is answered, with 404", () => {
  const last = configOf().apps.http.servers.public.routes.at(-1);
  expect(last?.match).toBeUndefined();
  expect(last?.handle).toMatchObject([{ handler: "static_response", status_code: 404 }]);
});

test("the word of no proxy is taken but of those that were told of", () => {
  const proxyOf = (over: Partial<PublicSite>) =>
    configOf(over).apps.http.servers.public.routes[0]?.handle.at(-1);
  expect(proxyOf({})).not.toHaveProperty("trusted_proxies");
  const trustedProxies = ["173.245.48.0/20"];
  expect(proxyOf({ trustedProxies })).toMatchObject({ trusted_proxies: trustedProxies });
});

test("nothing is asked of Caddy that keeps the runtime answering whom nobody hears any more", () => {
  const proxy = configOf().apps.http.servers.public.routes[0]?.handle.at(-1);
  expect(proxy).toMatchObject({ handler: "reverse_proxy" });
  expect(proxy).not.toHaveProperty("flush_interval");
});

test("nobody is spoken to in HTTP/2, whose cheap resets Debian's Caddy does not withstand", () => {
  expect(configOf().apps.http.servers.public.protocols).toEqual(["h1"]);
});

test("certificates come from where it was said, and else from where Caddy gets them", () => {
  const policies = (acme: { readonly directory?: string; readonly email?: string }) =>
    configOf({ tls: { kind: "acme", ...acme } }).apps.tls.automation.policies;
  const subjects = ["agents.example.com"];
  expect(policies({})).toEqual([{ subjects, issuers: [{ module: "acme" }] }]);
  const directory = "https://ca.example.com/dir";
  expect(policies({ directory, email: "ops@example.com" })).toEqual([
    { subjects, issuers: [{ module: "acme", ca: directory, email: "ops@example.com" }] },
  ]);
});

test("equal sites have byte-equal configurations", () => {
  expect(canonicalJson(caddyConfig({ ...SITE }))).toBe(canonicalJson(caddyConfig(SITE)));
});
