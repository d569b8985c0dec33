import { type Token, tokenize } from "./tokens.ts";

/** One place where a file names another module. */
export interface ImportUse {
  readonly kind: "import" | "side-effect" | "dynamic" | "re-export" | "require";
  /** Undefined when it is computed, so that nobody can tell what is imported. */
  readonly specifier: string | undefined;
  readonly line: number;
}

/** Every module that a source text names: type imports and imports in types included. */
export function findImports(source: string): readonly ImportUse[] {
  const tokens = tokenize(source).filter(({ kind }) => kind !== "comment");
  return tokens.flatMap((token, index): ImportUse[] => {
    if (token.kind !== "word" || isText(tokens[index - 1], ".")) return [];
    const found = useAt(token.text, tokens, index + 1);
    return found ? [{ ...found, line: token.line }] : [];
  });
}

type Found = Omit<ImportUse, "line">;

function useAt(word: string, tokens: readonly Token[], next: number): Found | undefined {
  if (word === "import") return importAt(tokens, next);
  if (word === "export") return reExportAt(tokens, next);
  if (word === "require" && isText(tokens[next], "(")) {
    return { kind: "require", specifier: argument(tokens, next + 1) };
  }
  return undefined;
}

function importAt(tokens: readonly Token[], next: number): Found | undefined {
  const after = tokens[next];
  if (after?.kind === "string") return { kind: "side-effect", specifier: after.text };
  if (isText(after, "(")) return { kind: "dynamic", specifier: argument(tokens, next + 1) };
  const words = tokens.slice(next, next + 4).map(({ text }) => text);
  if (words.join("") === ".metaresolve") return undefined;
  if (words.join("") === ".meta.resolve") {
    return { kind: "dynamic", specifier: argument(tokens, next + 5) };
  }
  if (after?.kind === "word" || isText(after, "{") || isText(after, "*")) {
    return { kind: "import", specifier: nameAfterFrom(tokens, next) };
  }
  return undefined;
}

function reExportAt(tokens: readonly Token[], next: number): Found | undefined {
  const start = isText(tokens[next], "type") ? next + 1 : next;
  if (isText(tokens[start], "*")) {
    return { kind: "re-export", specifier: nameAfterFrom(tokens, start) };
  }
  if (!isText(tokens[start], "{")) return undefined;
  const end = tokens.findIndex((token, index) => index > start && isText(token, "}"));
  if (!isText(tokens[end + 1], "from")) return undefined;
  return { kind: "re-export", specifier: tokens[end + 2]?.text };
}

/** The string after the next `from`; `import type from from "x"` is not written here. */
function nameAfterFrom(tokens: readonly Token[], start: number): string | undefined {
  const from = tokens.findIndex(
    (token, index) =>
      index >= start && isText(token, "from") && tokens[index + 1]?.kind === "string",
  );
  return tokens[from + 1]?.text;
}

/** A call's only or first argument when it is a plain string. */
function argument(tokens: readonly Token[], index: number): string | undefined {
  const [first, second] = tokens.slice(index, index + 2);
  const ends = isText(second, ")") || isText(second, ",");
  const plain = first?.kind === "string" || first?.kind === "template";
  return plain && ends ? first.text : undefined;
}

function isText(token: Token | undefined, text: string): boolean {
  return token !== undefined && token.text === text && /^(word|punctuation)$/.test(token.kind);
}
