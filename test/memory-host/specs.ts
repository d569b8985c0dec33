import type {
  CredentialNeed,
  HostAddress,
  HostSpec,
  ImageRecipe,
  ImageSpec,
  ReleaseFile,
} from "../../src/core/desired.ts";
import { compareText, sha256, treeHash } from "../../src/core/fingerprint.ts";
import { imageReference } from "../../src/core/names.ts";

/** A host's desired state in few words; versions are any text. */
export interface SpecWords {
  readonly project?: string;
  readonly host?: string;
  /** Any text; a commit id is made from it. */
  readonly revision: string;
  /** Version of the runtime's image. Default `1`. */
  readonly runtime?: string;
  /** Version of the base image. Default `1`. */
  readonly base?: string;
  /** Where webhooks are received; nowhere when absent. */
  readonly port?: number;
  /** Version of the door's image. Default `1`. */
  readonly door?: string;
  /** The public name, for a spec with a port; nothing is public when absent. */
  readonly public?: string;
  /** Version of the ingress's image. Default `1`. */
  readonly ingress?: string;
  /** The control API is public, too. */
  readonly publicControl?: boolean;
  readonly agents: Readonly<Record<string, AgentWords>>;
}

/** One agent in few words. */
export interface AgentWords {
  /** Text of its ACTIONS.md. */
  readonly actions: string;
  /** Version of an image of its own; the base image when absent. */
  readonly image?: string;
  /** `type/instance/field` of what it is given. */
  readonly credentials?: readonly string[];
}

/** A spec as a revision with these words would give. */
export function hostSpec(words: SpecWords): HostSpec {
  const { project = "acme", host = "web-1", revision, agents, port } = words;
  const image = (name: string, version: string) => imageSpec(project, name, version);
  const base = image("base", words.base ?? "1");
  const runtime = image("runtime", words.runtime ?? "1");
  const door = port === undefined ? [] : [image("door", words.door ?? "1")];
  const ingress = words.public === undefined ? [] : [image("ingress", words.ingress ?? "1")];
  const imageOf = (name: string) => {
    const version = agents[name]?.image;
    return version === undefined ? base : image(`agent-${name}`, version);
  };
  const names = Object.keys(agents).sort(compareText);
  const images = new Map(
    [base, runtime, ...door, ...ingress, ...names.map(imageOf)].map((one) => [one.reference, one]),
  );
  const files = [
    releaseFile("project.json", JSON.stringify({ project, base: base.reference, names })),
    ...names.flatMap((name) => [
      releaseFile(`agents/${name}/ACTIONS.md`, agents[name]?.actions ?? ""),
      releaseFile(`agents/${name}/agent.json`, JSON.stringify({ image: imageOf(name).reference })),
    ]),
  ].sort((a, b) => compareText(a.path, b.path));
  return {
    project,
    host,
    revision: sha256(revision).slice(0, 40),
    architecture: "amd64",
    images: [...images.values()].sort((a, b) => compareText(a.reference, b.reference)),
    release: { hash: treeHash(files), files },
    credentials: needsOf(agents),
    runtime: { image: runtime.reference, imageSpecHash: runtime.specHash },
    ...doorOf(door, port),
    ...ingressOf(ingress, words),
  };
}

/** The door of a spec whose port is given. */
export function doorOf(images: readonly ImageSpec[], outsidePort = 8080): Pick<HostSpec, "door"> {
  const [image] = images;
  if (!image) return {};
  return { door: { image: image.reference, imageSpecHash: image.specHash, outsidePort } };
}

/** The ingress of a spec with a public name. */
export function ingressOf(
  images: readonly ImageSpec[],
  { public: name, publicControl: control = false }: Pick<SpecWords, "public" | "publicControl">,
): Pick<HostSpec, "ingress"> {
  const [image] = images;
  if (!image || name === undefined) return {};
  const site = { name, control, trustedProxies: [], tls: { kind: "acme" } } as const;
  return { ingress: { image: image.reference, imageSpecHash: image.specHash, site } };
}

/** How each image of a spec is built, as far as a host in memory cares. */
export function recipesOf(spec: HostSpec): readonly ImageRecipe[] {
  return spec.images.map((image) => ({
    image,
    architecture: spec.architecture,
    dockerfile: `# ${image.name}`,
    context: [],
    buildArgs: {},
    needs: [],
  }));
}

/** An address at which a host in memory is found. */
export function addressOf(host = "web-1"): HostAddress {
  return { host, provider: "ssh", address: "192.0.2.1", port: 22, user: "al", labels: {} };
}

function imageSpec(project: string, name: string, version: string): ImageSpec {
  const specHash = sha256(`${name} ${version}`);
  return { name, specHash, reference: imageReference(project, name, specHash) };
}

function releaseFile(path: string, text: string): ReleaseFile {
  return { path, hash: sha256(text), content: Buffer.from(text) };
}

function needsOf(agents: SpecWords["agents"]): readonly CredentialNeed[] {
  const needs = new Map<string, { fields: Set<string>; agents: Set<string> }>();
  for (const name of Object.keys(agents).sort(compareText)) {
    for (const path of agents[name]?.credentials ?? []) {
      const [type = "", instance = "", field = ""] = path.split("/");
      const key = `${type}/${instance}`;
      const need = needs.get(key) ?? { fields: new Set(), agents: new Set() };
      needs.set(key, need);
      need.fields.add(field);
      need.agents.add(name);
    }
  }
  return [...needs]
    .sort(([a], [b]) => compareText(a, b))
    .map(([key, need]) => {
      const [type = "", instance = ""] = key.split("/");
      return { type, instance, fields: [...need.fields].sort(), agents: [...need.agents] };
    });
}
