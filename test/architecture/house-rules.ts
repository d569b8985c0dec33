import { findImports } from "./imports.ts";
import { roomOf } from "./rooms.ts";
import { type Token, tokenize } from "./tokens.ts";

/** Where words may be printed. */
const MAY_PRINT = "src/cli/render/";

/** Names that would make `core` depend on more than its input. */
const IMPURE = new Set(
  [
    "process performance setTimeout setInterval setImmediate queueMicrotask fetch globalThis",
    "randomBytes randomUUID randomInt getRandomValues webcrypto generateKeyPairSync",
  ]
    .join(" ")
    .split(" "),
);

const DECLARES = new Set("function const let var class interface type async abstract".split(" "));

/** What a source file of `src` does that no file of its room may do, a line each. */
export function sourceProblems(file: string, source: string): readonly string[] {
  const tokens = tokenize(source);
  const code = tokens.filter(({ kind }) => kind !== "comment");
  const problems = [
    ...(file.startsWith(MAY_PRINT) ? [] : consoleUses(code)),
    ...(roomOf(file) === "core" ? impureUses(code) : []),
    ...barrels(source, code),
    ...undocumented(tokens),
  ];
  return problems.map((problem) => `${file}:${problem}`);
}

/** Tests that are left out or alone, a line each. */
export function testProblems(file: string, source: string): readonly string[] {
  const code = tokenize(source).filter(({ kind }) => kind !== "comment");
  return code.flatMap(({ text, kind, line }, index) => {
    const [owner, dot] = code.slice(Math.max(0, index - 2), index);
    const left = kind === "word" && /^(only|skip|todo)$/.test(text) && dot?.text === ".";
    if (!left || !/^(test|it|describe|suite|bench)$|^[)\]]$/.test(owner?.text ?? "")) return [];
    return [`${file}:${line}: .${text} leaves tests out`];
  });
}

function consoleUses(code: readonly Token[]): string[] {
  return uses(code, (token, next) => token.text === "console" && next?.text === ".").map(
    ({ line }) => `${line}: console is used only in ${MAY_PRINT}`,
  );
}

function impureUses(code: readonly Token[]): string[] {
  const found = uses(code, (token, next, afterNext) => {
    if (token.text === "Date") return next?.text !== ":" && readsClock(afterNext);
    if (token.text === "Math") return afterNext?.text === "random";
    return IMPURE.has(token.text) && next?.text !== ":";
  });
  return found.map(({ line, text }) => `${line}: core is pure and may not use ${text}`);
}

/** `new Date()` and `Date.now` do; `new Date(ms)` and `Date.parse` calculate. */
function readsClock(afterNext: Token | undefined): boolean {
  return afterNext === undefined || afterNext.text === ")" || afterNext.text === "now";
}

/** Words that are code, not a property's name. */
function uses(
  code: readonly Token[],
  wanted: (token: Token, next: Token | undefined, afterNext: Token | undefined) => boolean,
): Token[] {
  return code.filter((token, index) => {
    if (token.kind !== "word" || code[index - 1]?.text === ".") return false;
    return wanted(token, code[index + 1], code[index + 2]);
  });
}

/** A file that only passes on what others export, or passes on all of it. */
function barrels(source: string, code: readonly Token[]): string[] {
  const passed = findImports(source).filter(({ kind }) => kind === "re-export");
  const star = code.some(
    ({ text }, index) => text === "export" && /^\*/.test(code[index + 1]?.text ?? ""),
  );
  const own = code.some(
    ({ text }, index) => text === "export" && DECLARES.has(code[index + 1]?.text ?? ""),
  );
  if (passed.length === 0 || (own && !star)) return [];
  return [`${passed[0]?.line}: a barrel: import from where it is declared`];
}

/** Exported declarations without a docstring; a type made from a documented value needs none. */
function undocumented(tokens: readonly Token[]): string[] {
  const documented = new Set<string>();
  return tokens.flatMap((token, index) => {
    if (token.text !== "export" || token.kind !== "word") return [];
    const name = declaredName(tokens, index + 1);
    if (name === undefined || documented.has(name)) return [];
    const before = tokens[index - 1];
    const isDocumented = before?.kind === "comment" && before.text.startsWith("/**");
    if (isDocumented) documented.add(name);
    const explained = isDocumented || documented.has(sourceOfType(tokens, index + 1) ?? "");
    return explained ? [] : [`${token.line}: ${name} is exported without a docstring`];
  });
}

/** The value that a type is made from: `X` of `export type A = (typeof X)[number];`. */
function sourceOfType(tokens: readonly Token[], start: number): string | undefined {
  if (tokens[start]?.text !== "type") return undefined;
  const end = tokens.findIndex(({ text }, index) => index > start && text === ";");
  const statement = tokens.slice(start, end);
  return statement[statement.findIndex(({ text }) => text === "typeof") + 1]?.text;
}

/** The name after `export async function`, `export const` and so on; undefined for `export {`. */
function declaredName(tokens: readonly Token[], start: number): string | undefined {
  if (!DECLARES.has(tokens[start]?.text ?? "")) return undefined;
  const words = tokens.slice(start, start + 4).map(({ text }) => text);
  const name = words.find((word) => !DECLARES.has(word));
  return name === "{" || name === "*" ? undefined : name;
}
