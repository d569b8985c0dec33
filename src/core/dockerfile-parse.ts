/** A white-space separated piece of an instruction, with its place in the file's text. */
export interface DockerfileWord {
  readonly text: string;
  /** Offsets in UTF-16 units, end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** One instruction of a Dockerfile, continuation lines and here-documents included. */
export interface DockerfileInstruction {
  /** Upper case. */
  readonly keyword: string;
  /** 1-based line of the keyword. */
  readonly line: number;
  /** Words after the keyword, flags included, here-document bodies not. */
  readonly words: readonly DockerfileWord[];
  /** Its physical lines, comments left out. */
  readonly lines: readonly { readonly number: number; readonly text: string }[];
}

interface SourceLine {
  readonly number: number;
  readonly text: string;
  readonly start: number;
}

/** Words as a shell separates them: what is quoted or escaped separates nothing. */
const SHELL_WORD = /(?:"(?:\\[\s\S]|[^"\\])*"|'[^']*'|\\[\s\S]|[^\s"'\\])+/g;
/** What BuildKit takes for the start of a here-document: a whole word. */
const HEREDOC = /^\d*<<(-?)([^<]+)$/;
const HEREDOC_KEYWORDS: ReadonlySet<string> = new Set(["RUN", "COPY", "ADD"]);

/** The instructions of a Dockerfile, in order; what BuildKit would reject is read leniently. */
export function parseDockerfile(text: string): readonly DockerfileInstruction[] {
  const lines = splitLines(text);
  const isBacktick = escapeCharacter(lines) === "`";
  const continuation = isBacktick ? /(?<!`)`[ \t]*$/ : /(?<!\\)\\[ \t]*$/;
  const instructions: DockerfileInstruction[] = [];
  for (let at = 0; at < lines.length; ) {
    const taken = takeLogicalLine(lines, at, continuation);
    at += taken.consumed;
    const [keyword, ...words] = taken.words;
    if (keyword === undefined) continue;
    const name = keyword.text.toUpperCase();
    const body = HEREDOC_KEYWORDS.has(name) ? takeHeredocs(taken.joined, lines.slice(at)) : [];
    at += body.length;
    const number = taken.content[0]?.number ?? 1;
    instructions.push({ keyword: name, line: number, words, lines: [...taken.content, ...body] });
  }
  return instructions;
}

function splitLines(text: string): SourceLine[] {
  let start = 0;
  return text.split("\n").map((raw, index) => {
    const line = { number: index + 1, text: raw.replace(/\r$/, ""), start };
    start += raw.length + 1;
    return line;
  });
}

function escapeCharacter(lines: readonly SourceLine[]): string {
  for (const { text } of lines) {
    const directive = /^#\s*(\w+)\s*=\s*(\S.*)$/.exec(text.trim());
    if (!directive) break;
    if (directive[1]?.toLowerCase() === "escape") return directive[2] ?? "\\";
  }
  return "\\";
}

/** Joins continued lines; comments and empty lines within them are skipped, as BuildKit does. */
function takeLogicalLine(lines: readonly SourceLine[], from: number, continuation: RegExp) {
  const content: SourceLine[] = [];
  const words: DockerfileWord[] = [];
  let joined = "";
  let at = from;
  for (let open = true; open && at < lines.length; at += 1) {
    const line = lines[at] as SourceLine;
    const skipped = /^\s*(#|$)/.test(line.text);
    if (skipped && content.length === 0) return { content, words, joined, consumed: at - from + 1 };
    if (skipped) continue;
    open = continuation.test(line.text);
    content.push(line);
    const text = line.text.replace(continuation, "");
    joined += text;
    for (const match of text.matchAll(/\S+/g)) {
      const start = line.start + match.index;
      words.push({ text: match[0], start, end: start + match[0].length });
    }
  }
  return { content, words, joined, consumed: at - from };
}

function takeHeredocs(head: string, rest: readonly SourceLine[]): SourceLine[] {
  const body: SourceLine[] = [];
  for (const word of head.match(SHELL_WORD) ?? []) {
    const [, dash, quoted] = HEREDOC.exec(word) ?? [];
    const name = quoted?.replace(/["']/g, "");
    if (name === undefined) continue;
    for (const line of rest.slice(body.length)) {
      body.push(line);
      if ((dash === "-" ? line.text.replace(/^\t+/, "") : line.text) === name) break;
    }
  }
  return body;
}
