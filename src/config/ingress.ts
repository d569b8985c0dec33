import type { PublicTls } from "../core/ingress-config.ts";
import type { IngressInput } from "../core/project-input.ts";
import type { KnownHosts } from "./agent-placement.ts";
import type { ConfigFile } from "./config-file.ts";
import { nearestName } from "./nearest-name.ts";
import type { Problem } from "./problems.ts";
import type { TomlFile } from "./toml-file.ts";

/** What `[gateway]` says is public, or what is wrong with that. */
export interface LoadedIngress {
  readonly value: IngressInput | undefined;
  readonly problems: readonly Problem[];
}

/** Ports of every address that the ingress takes. */
const TAKEN = [80, 443];

/** The public name, and the host whose address it has: the only one, or the one that is named. */
export function loadIngress(config: TomlFile<ConfigFile>, known: KnownHosts): LoadedIngress {
  const gateway = config.isSound("gateway") ? config.value?.gateway : undefined;
  if (gateway === undefined) return { value: undefined, problems: [] };
  const hosts = known.kind === "hosts" ? known.hosts : [];
  const at = (...keys: readonly string[]) => config.at(["gateway", ...keys]);
  const problems = [
    ...withoutPublic(gateway, at),
    ...withoutControl(gateway, at),
    ...twoCertificates(gateway, at),
    ...takenPort(gateway, at),
    ...(hosts.length === 0 ? [] : unclearHost(gateway, hosts, at)),
  ];
  const { public: name, ingress: host = hosts[0]?.host } = gateway;
  if (name === undefined || host === undefined) return { value: undefined, problems };
  const { publicControl: control, trustedProxies } = gateway;
  return {
    value: { host, site: { name, control, trustedProxies, tls: tlsOf(gateway) } },
    problems,
  };
}

function tlsOf({ acme, certificate }: Gateway): PublicTls {
  if (certificate !== undefined) return { kind: "given", certificate };
  return { kind: "acme", ...acme };
}

type Gateway = ConfigFile["gateway"];
type At = (...keys: readonly string[]) => Pick<Problem, "file">;

function withoutPublic(gateway: Gateway, at: At): Problem[] {
  if (gateway.public !== undefined) return [];
  const { ingress, publicControl, trustedProxies, acme, certificate } = gateway;
  const said = {
    ingress: ingress !== undefined,
    publicControl,
    trustedProxies: trustedProxies.length > 0,
    acme: acme !== undefined,
    certificate: certificate !== undefined,
  };
  return Object.entries(said).flatMap(([key, isSaid]) => {
    if (!isSaid) return [];
    const message = "says nothing as long as nothing is public";
    const hint = 'set `public = "agents.example.com"` in [gateway], or take it out';
    return [{ ...at(key), message, hint }];
  });
}

function withoutControl({ public: name, control, publicControl }: Gateway, at: At): Problem[] {
  if (name === undefined || !publicControl || control) return [];
  const message = "there is no control API on the outside listener to make public";
  return [{ ...at("publicControl"), message, hint: "set `control = true`, too, or take it out" }];
}

function twoCertificates({ acme, certificate }: Gateway, at: At): Problem[] {
  if (acme === undefined || certificate === undefined) return [];
  const message = "a certificate is given, so none is had by ACME";
  return [{ ...at("acme"), message, hint: "take out either `certificate` or `[gateway.acme]`" }];
}

function takenPort({ public: name, port }: Gateway, at: At): Problem[] {
  if (name === undefined || !TAKEN.includes(port)) return [];
  const message = `port ${port} is taken: with \`public\` it serves the public name, on every address`;
  return [{ ...at("port"), message, hint: "use another one; 8080 is the default" }];
}

function unclearHost(
  { public: name, ingress }: Gateway,
  hosts: readonly { readonly host: string }[],
  at: At,
): Problem[] {
  const names = hosts.map(({ host }) => host);
  if (ingress !== undefined && !names.includes(ingress)) {
    const near = nearestName(ingress, names);
    const hint = near ? `did you mean \`${near}\`?` : `there are ${names.join(", ")}`;
    return [{ ...at("ingress"), message: `no host \`${ingress}\` is in fleet.toml`, hint }];
  }
  if (name === undefined || ingress !== undefined || names.length === 1) return [];
  const message = "it is not said which host has this name's address";
  const hint = `set \`ingress\` in [gateway] to one of ${names.join(", ")}`;
  return [{ ...at("public"), message, hint }];
}
