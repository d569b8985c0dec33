import { type DockerfileInstruction, parseDockerfile } from "./dockerfile-parse.ts";

/**
 * Which of `paths` (relative to the Dockerfile) its COPY, ADD and bind mounts may read, in their order.
 * Anything else stays out of the context, so that editing a prompt rebuilds no image; for the same
 * reason a path of `reserved` is in it only where an instruction names that very path.
 * Where a source cannot be known (a variable), every file counts as read.
 */
export function contextPaths(
  dockerfile: string,
  paths: readonly string[],
  reserved: ReadonlySet<string> = new Set(),
): readonly string[] {
  const sources = parseDockerfile(dockerfile).flatMap(sourcesOf).map(normalize);
  return paths.filter((path) =>
    sources.some((source) => source === path || (!reserved.has(path) && matches(source, path))),
  );
}

/** A source of a Dockerfile's instruction that its build cannot read. */
export interface UnreadableSource {
  /** 1-based. */
  readonly line: number;
  readonly source: string;
  /** It lies outside of the Dockerfile's directory, or nowhere in it. */
  readonly kind: "outside" | "missing";
}

/**
 * What COPY, ADD and bind mounts name and cannot read, of `paths` relative to the Dockerfile. As for
 * BuildKit, `../x` is `x`, and outside only where that is not there. Patterns and what holds a variable
 * or an escape are left to the build.
 */
export function unreadableSources(
  dockerfile: string,
  paths: readonly string[],
): readonly UnreadableSource[] {
  return parseDockerfile(dockerfile).flatMap((instruction) => {
    const { line } = instruction;
    const sources = sourcesOf(instruction);
    if (sources.some((source) => source.includes("\\"))) return [];
    return sources.flatMap((source): UnreadableSource[] => {
      if (/[$*?["'<]/.test(source)) return [];
      const found = normalize(source);
      if (found === "." || paths.some((path) => matches(found, path))) return [];
      return [{ line, source, kind: leaves(source) ? "outside" : "missing" }];
    });
  });
}

function leaves(source: string): boolean {
  let depth = 0;
  return partsOf(source).some((part) => {
    depth += part === ".." ? -1 : 1;
    return depth < 0;
  });
}

function sourcesOf({ keyword, words }: DockerfileInstruction): string[] {
  if (keyword === "RUN") return words.flatMap(({ text }) => bindSource(text));
  if (keyword !== "COPY" && keyword !== "ADD") return [];
  const texts = words.map(({ text }) => text);
  if (texts.some((text) => text.startsWith("--from="))) return [];
  const operands = texts.filter((text) => !text.startsWith("--"));
  const listed = operands[0]?.startsWith("[") ? jsonOperands(operands.join(" ")) : operands;
  return listed.slice(0, -1).filter((text) => !text.startsWith("<<") && !isRemote(text));
}

function bindSource(word: string): string[] {
  const fields = /^--mount=(.*)$/.exec(word)?.[1]?.split(",") ?? [];
  const value = (name: string) =>
    fields.find((field) => field.startsWith(`${name}=`))?.slice(name.length + 1);
  if (fields.length === 0 || value("from") !== undefined) return [];
  if ((value("type") ?? "bind") !== "bind") return [];
  return [value("source") ?? value("src") ?? "."];
}

function jsonOperands(text: string): string[] {
  try {
    const operands: unknown = JSON.parse(text);
    if (Array.isArray(operands)) return operands.map(String);
  } catch {
    // not JSON: BuildKit then reads it as words, and so does the caller
  }
  return text.split(" ");
}

function isRemote(source: string): boolean {
  return /^(https?:|git@|git:|ssh:)/.test(source);
}

function normalize(source: string): string {
  if (source.includes("$")) return ".";
  const parts: string[] = [];
  for (const part of partsOf(source)) {
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts.length === 0 ? "." : parts.join("/");
}

function partsOf(source: string): string[] {
  const unquoted = source.replace(/^(["'])(.*)\1$/, "$2");
  return unquoted.split("/").filter((part) => part !== "" && part !== ".");
}

/** A source names a file, a directory with all it holds, or a pattern of Go's filepath.Match. */
function matches(source: string, path: string): boolean {
  if (source === "." || source === path || path.startsWith(`${source}/`)) return true;
  if (!/[*?[]/.test(source)) return false;
  const parts = path.split("/");
  return source.split("/").every((pattern, index) => {
    const part = parts[index];
    return part !== undefined && globMatches(globTokens(pattern), part);
  });
}

/** `*`, `?` (also for a class, widened: one file more in a context does no harm) or a character. */
function globTokens(pattern: string): string[] {
  const tokens = pattern.match(/\\.|\[[^\]]*\]|[\s\S]/g) ?? [];
  return tokens.map((token) => {
    if (token.length === 1) return token;
    return token.startsWith("[") ? "?" : `=${token.slice(1)}`;
  });
}

/** Linear in pattern times text, whatever a repository writes. */
function globMatches(tokens: readonly string[], text: string): boolean {
  let [token, at, star, mark] = [0, 0, -1, 0];
  while (at < text.length) {
    const wanted = tokens[token];
    if (wanted === "*") {
      star = token;
      mark = at;
      token += 1;
    } else if (wanted === "?" || wanted === text[at] || wanted === `=${text[at]}`) {
      token += 1;
      at += 1;
    } else if (star >= 0) {
      token = star + 1;
      mark += 1;
      at = mark;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every((rest) => rest === "*");
}
