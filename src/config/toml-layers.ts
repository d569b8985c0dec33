import { parse, TomlError } from "smol-toml";
import { decodeText } from "./decode-text.ts";
import type { KeyPath, Problem } from "./problems.ts";
import { locateTomlKeys, type TomlLines } from "./toml-lines.ts";

const MAX_TOML_BYTES = 256 * 1024;

/** The key of an overlay that names the environment. */
export const ENVIRONMENT_KEY = "environment";

/** A TOML file whose tables are laid over those of another. */
export interface Overlay {
  /** Its name in problems. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** One parsed file. */
export interface TomlLayer {
  readonly file: string;
  readonly document: Table;
  readonly lines: TomlLines;
}

type Table = Readonly<Record<string, unknown>>;

/** Parses one file, or says what is wrong with its syntax. */
export function parseLayer({
  file,
  bytes,
}: Overlay): { readonly layer: TomlLayer } | { readonly problem: Problem } {
  const decoded = decodeText(file, bytes, MAX_TOML_BYTES);
  if (!decoded.ok) return { problem: decoded.problem };
  try {
    const document = parse(decoded.text);
    return { layer: { file, document, lines: locateTomlKeys(decoded.text) } };
  } catch (thrown) {
    return { problem: syntaxProblem(file, thrown) };
  }
}

/** An overlay's layer without the environment's name, which is no field of the file below. */
export function withoutEnvironment(layer: TomlLayer): TomlLayer {
  const { [ENVIRONMENT_KEY]: _name, ...document } = layer.document;
  return { ...layer, document };
}

/** All layers as one document: tables merge deeply; of everything else the last layer's counts. */
export function mergeLayers(layers: readonly TomlLayer[]): unknown {
  return layers.map(({ document }) => document).reduce(merge);
}

/** The layer that a value of the merged document comes from, or would stand in if it were there. */
export function layerOf(layers: readonly TomlLayer[], path: KeyPath): TomlLayer {
  const isIndex = (step: string | number) => typeof step === "number";
  const end = path.findIndex(isIndex);
  const wanted = end < 0 ? path : path.slice(0, end);
  const depths = layers.map(({ document }) => depthOf(document, wanted));
  const deepest = Math.max(...depths);
  // A value that is there is the last layer's; one that is missing is missed where its table begins.
  const at = deepest === wanted.length ? depths.lastIndexOf(deepest) : depths.indexOf(deepest);
  return layers[at] as TomlLayer;
}

function merge(below: Table, above: Table): Table {
  const merged: Record<string, unknown> = Object.assign(Object.create(null), below);
  for (const [key, value] of Object.entries(above)) {
    const under = Object.hasOwn(below, key) ? below[key] : undefined;
    merged[key] = isTable(under) && isTable(value) ? merge(under, value) : value;
  }
  return { ...merged };
}

function isTable(value: unknown): value is Table {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject && !(value instanceof Date);
}

/** How many steps of a path there are. */
function depthOf(document: unknown, path: KeyPath): number {
  let value: unknown = document;
  for (const [depth, step] of path.entries()) {
    if (!isTable(value) || !Object.hasOwn(value, step)) return depth;
    value = value[step];
  }
  return path.length;
}

function syntaxProblem(file: string, thrown: unknown): Problem {
  if (!(thrown instanceof TomlError)) throw thrown;
  const reason = thrown.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "");
  return { file, line: thrown.line, message: `column ${thrown.column}: ${reason}` };
}
