/** One piece of TypeScript source. White space is dropped, comments are kept. */
export interface Token {
  readonly kind: "word" | "string" | "template" | "punctuation" | "regex" | "comment";
  /** As written; of a string without its quotes. */
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

/** Words after which a slash starts a regular expression. */
const BEFORE_REGEX = new Set(
  "return typeof case in of new delete void throw await yield do else instanceof".split(" "),
);

/**
 * Cuts source text into tokens, well enough to tell code from what is only written in a comment, a
 * string or a regular expression. Code inside a template's `${}` comes out as tokens too.
 */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const templates: number[] = [];
  let depth = 0;
  let at = 0;
  let line = 1;
  const push = (kind: Token["kind"], end: number, text = source.slice(at, end)) => {
    tokens.push({ kind, text, line });
    line += source.slice(at, end).split("\n").length - 1;
    at = end;
  };
  while (at < source.length) {
    const char = source[at] as string;
    const [blank = ""] = /^\s+/.exec(source.slice(at, at + 200)) ?? [];
    if (blank !== "") {
      line += blank.split("\n").length - 1;
      at += blank.length;
    } else if (source.startsWith("//", at)) {
      push("comment", endOr(source, source.indexOf("\n", at)));
    } else if (source.startsWith("/*", at)) {
      push("comment", endOr(source, source.indexOf("*/", at + 2) + 2));
    } else if (char === '"' || char === "'") {
      const end = stringEnd(source, at);
      push("string", end, source.slice(at + 1, end - 1));
    } else if (char === "`" || (char === "}" && templates.at(-1) === depth)) {
      if (char === "}") templates.pop();
      const { end, opens } = templatePart(source, at + 1);
      push("template", end, source.slice(at + 1, end - (opens ? 2 : 1)));
      if (opens) templates.push(depth);
    } else if (char === "/" && startsRegex(tokens)) {
      push("regex", regexEnd(source, at));
    } else if (/[\w$\u0080-\uffff]/.test(char)) {
      push("word", wordEnd(source, at));
    } else {
      if (char === "{") depth++;
      if (char === "}") depth--;
      push("punctuation", at + 1);
    }
  }
  return tokens;
}

function endOr(source: string, end: number): number {
  return end < 2 ? source.length : end;
}

function wordEnd(source: string, start: number): number {
  let end = start;
  while (end < source.length && /[\w$\u0080-\uffff]/.test(source[end] as string)) end++;
  return end;
}

function stringEnd(source: string, start: number): number {
  for (let end = start + 1; end < source.length && source[end] !== "\n"; end++) {
    if (source[end] === "\\") end++;
    else if (source[end] === source[start]) return end + 1;
  }
  throw new Error(`a string does not end: ${source.slice(start, start + 60)}`);
}

/** From after a backtick or `}` to after the next backtick or `${`. */
function templatePart(source: string, start: number): { end: number; opens: boolean } {
  for (let end = start; end < source.length; end++) {
    if (source[end] === "\\") end++;
    else if (source[end] === "`") return { end: end + 1, opens: false };
    else if (source.startsWith("${", end)) return { end: end + 2, opens: true };
  }
  throw new Error(`a template does not end: ${source.slice(start, start + 60)}`);
}

function regexEnd(source: string, start: number): number {
  let inClass = false;
  for (let end = start + 1; end < source.length && source[end] !== "\n"; end++) {
    const char = source[end];
    if (char === "\\") end++;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return wordEnd(source, end + 1);
  }
  throw new Error(`a regular expression does not end: ${source.slice(start, start + 60)}`);
}

function startsRegex(tokens: readonly Token[]): boolean {
  const last = tokens.findLast(({ kind }) => kind !== "comment");
  if (!last) return true;
  if (last.kind === "word") return BEFORE_REGEX.has(last.text);
  return last.kind === "punctuation" && !/[)\]}]/.test(last.text);
}
