import { type DockerfileWord, parseDockerfile } from "./dockerfile-parse.ts";

/** The name under which a repository's Dockerfiles refer to the agents' base image. */
export const AGENT_BASE_IMAGE = "al-agent:latest";

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Replaces image names in FROM, COPY --from, RUN --mount=from= and the defaults of ARGs before
 * the first FROM; all else, stage names included, stays byte for byte. A name that a FROM puts together
 * from ARGs is replaced as a whole: left alone, it would be looked for in a registry.
 * Keys of `replacements` carry a tag; an image written without one counts as `:latest`.
 */
export function rewriteDockerfile(
  text: string,
  replacements: Readonly<Record<string, string>>,
): string {
  const edits = imageUses(text).flatMap((use): Edit[] => {
    const name = replacementKey(use.text);
    if (!Object.hasOwn(replacements, name)) return [];
    return [{ start: use.start, end: use.end, text: replacements[name] as string }];
  });
  let result = "";
  let done = 0;
  for (const edit of edits) {
    result += text.slice(done, edit.start) + edit.text;
    done = edit.end;
  }
  return result + text.slice(done);
}

/** The images of `names` (each with a tag) that a Dockerfile builds from or copies from. */
export function imagesUsed(text: string, names: readonly string[]): readonly string[] {
  const used = new Set(imageUses(text).map((use) => replacementKey(use.text)));
  return names.filter((name) => used.has(name));
}

/** True when a Dockerfile is one FROM of one of `names` and nothing else. */
export function isBareFrom(text: string, names: readonly string[] = [AGENT_BASE_IMAGE]): boolean {
  const instructions = parseDockerfile(text);
  if (instructions.length !== 1 || instructions[0]?.keyword !== "FROM") return false;
  const image = instructions[0].words.find((word) => !word.text.startsWith("--"));
  return image !== undefined && names.includes(replacementKey(image.text));
}

/** The default of an ARG before the first FROM; plain when it needs no other ARG. */
interface ArgDefault {
  readonly value: string;
  readonly isPlain: boolean;
}

/** Every place that names an image rather than a stage, in the order of the text. */
function imageUses(text: string): DockerfileWord[] {
  const uses: DockerfileWord[] = [];
  const stages = new Set<string>();
  const defaults = new Map<string, ArgDefault>();
  let beforeFrom = true;
  for (const { keyword, words } of parseDockerfile(text)) {
    if (keyword === "FROM") {
      beforeFrom = false;
      const [image, as, stage] = words.filter((word) => !word.text.startsWith("--"));
      if (image) uses.push(...fromImage(image, stages, defaults));
      if (as?.text.toUpperCase() === "AS" && stage) stages.add(stage.text.toLowerCase());
    } else if (keyword === "ARG" && beforeFrom) {
      for (const word of words) {
        const [value] = part(word, /^[A-Za-z_]\w*=(["']?)(.+)\1$/);
        if (!value) continue;
        uses.push(value);
        const name = word.text.slice(0, word.text.indexOf("="));
        const isPlain = !value.text.includes("$");
        defaults.set(name, { value: expand(value.text, defaults), isPlain });
      }
    } else if (keyword === "COPY" || keyword === "ADD" || keyword === "RUN") {
      const named = flags(words).flatMap((word) => [
        ...part(word, /^--from=(["']?)(.+)\1$/),
        ...part(word, /^--mount=(?:.*,)?from=(["']?)([^,"']+)\1(?:,.*)?$/),
      ]);
      uses.push(...named.filter((word) => !stages.has(word.text.toLowerCase())));
    }
  }
  return uses;
}

/** The image a FROM names, unless it is a stage, or one variable whose default is replaced itself. */
function fromImage(
  word: DockerfileWord,
  stages: ReadonlySet<string>,
  defaults: ReadonlyMap<string, ArgDefault>,
): DockerfileWord[] {
  const text = expand(word.text, defaults).replace(/^(["'])(.*)\1$/, "$2");
  const [, , bare, braced] = /^(["']?)\$(?:(\w+)|\{(\w+)\})\1$/.exec(word.text) ?? [];
  const isPlain = defaults.get(bare ?? braced ?? "")?.isPlain === true;
  return isPlain || stages.has(text.toLowerCase()) ? [] : [{ ...word, text }];
}

/** More than any image's name has; each ARG may double the one before it. */
const MAX_EXPANDED = 1024;

/** Puts in the values of `$NAME`, `${NAME}` and `${NAME:-instead}`; without a value, nothing. */
function expand(text: string, values: ReadonlyMap<string, ArgDefault>): string {
  const variable = /\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})/g;
  const expanded = text.replace(variable, (_, bare?: string, braced?: string, instead = "") => {
    return values.get(bare ?? braced ?? "")?.value ?? instead;
  });
  return expanded.length > MAX_EXPANDED ? "" : expanded;
}

function flags(words: readonly DockerfileWord[]): readonly DockerfileWord[] {
  const end = words.findIndex((word) => !word.text.startsWith("--"));
  return end === -1 ? words : words.slice(0, end);
}

/** The second group of `pattern` as a word of its own. */
function part(word: DockerfileWord, pattern: RegExp): DockerfileWord[] {
  const match = new RegExp(pattern.source, "d").exec(word.text);
  const range = match?.indices?.[2];
  if (!match?.[2] || !range) return [];
  return [{ text: match[2], start: word.start + range[0], end: word.start + range[1] }];
}

function replacementKey(image: string): string {
  const untagged = !image.includes("@") && !image.slice(image.lastIndexOf("/") + 1).includes(":");
  return untagged ? `${image}:latest` : image;
}
