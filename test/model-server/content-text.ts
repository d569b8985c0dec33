/** The text in a message's content, which both protocols give as a string or as parts. */
export function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: { text?: unknown; content?: unknown }) =>
      typeof part?.text === "string" ? part.text : contentText(part?.content),
    )
    .join("\n");
}

/** Two halves, so that a reader must put a text together from deltas. */
export function halves(text: string): string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((part) => part !== "");
}
