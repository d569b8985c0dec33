/**
 * Text from outside, fit for a terminal: control and formatting characters are shown as `\u{1b}`,
 * not obeyed. Tabs stay; line ends are shown too, so split lines first.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\t]|\p{Cf}|\p{Zl}|\p{Zp}/gu, (char) => {
    return `\\u{${char.codePointAt(0)?.toString(16)}}`;
  });
}

/** The same for text of several lines. */
export function printableLines(text: string): string[] {
  return text.split(/\r?\n/).map(printable);
}

/** JSON on one line that a terminal obeys as little: the same value, with these characters as escapes. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, (char) =>
    [...Array(char.length).keys()]
      .map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
