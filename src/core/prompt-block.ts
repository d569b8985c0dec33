import type { Json } from "../base/canonical-json.ts";

/** A block of JSON. `<`, `>` and `&` are written as \u escapes, so no value can form a tag. */
export function jsonBlock(tag: string, value: Json): string {
  return block(tag, JSON.stringify(value).replace(/[<>&]/g, unicodeEscape));
}

/** A block of lines; each line's `<`, `>` and `&` become entities. */
export function textBlock(tag: string, lines: readonly string[]): string {
  return block(tag, lines.map(escapeText).join("\n"));
}

/** Text in which no tag can stand: `<`, `>` and `&` as entities. */
export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function block(tag: string, body: string): string {
  return `<${tag}>\n${body}\n</${tag}>`;
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
