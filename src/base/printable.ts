/**
 * Text from outside, fit for a terminal: control and formatting characters are shown as `\u{1b}`,
 * not obeyed. Tabs stay; line ends are shown too, so split lines first.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\t]|\p{Cf}|\p{Zl}|\p{Zp}/gu, (char) => {
    return `\\u{${char.codePointAt(0)?.toString(16)}}`;
  });
}
