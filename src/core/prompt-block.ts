import type { Json } from "../base/canonical-json.ts";

/**
 * What JSON may not hold as it is: the characters of tags; brackets that look like theirs; line
 * ends that JSON leaves alone; what turns the direction of writing; invisible letters.
 */
const DISGUISES =
  /[<>&\u007f-\u009f\u02c2\u02c3\u1433\u1438\u2028-\u202e\u2039\u203a\u2066-\u2069\u2329\u232a\u276c-\u276f\u27e8\u27e9\u3008\u3009\ufe64\ufe65\uff1c\uff1e]|\udb40[\udc00-\udc7f]/g;

/** A block of JSON in which no value can form a tag: {@link DISGUISES} are written as \u escapes. */
export function jsonBlock(tag: string, value: Json): string {
  return block(tag, JSON.stringify(value).replace(DISGUISES, unicodeEscape));
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

function unicodeEscape(characters: string): string {
  const units = Array.from({ length: characters.length }, (_, at) => characters.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
