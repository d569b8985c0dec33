import type { KeyPath } from "./problems.ts";

/** Where the keys of a TOML document stand. */
export interface TomlLines {
  /** 1-based line of a key path, or of its nearest ancestor that has one. */
  lineOf(path: KeyPath): number | undefined;
}

/** Finds the line of every key path of `text`, which must be a valid TOML document. */
export function locateTomlKeys(text: string): TomlLines {
  const scanner = new Scanner(text);
  scanner.document();
  return {
    lineOf(path) {
      for (let length = path.length; length > 0; length -= 1) {
        const line = scanner.lines.get(keyOf(path.slice(0, length)));
        if (line !== undefined) return line;
      }
      return undefined;
    },
  };
}

function keyOf(path: KeyPath): string {
  return JSON.stringify(path);
}

/**
 * One walk over a document that a TOML parser has accepted; never looks at values' meaning.
 * Every step of a loop moves on by a character at least, whatever the text.
 */
class Scanner {
  readonly lines = new Map<string, number>();
  readonly #text: string;
  readonly #lastIndex = new Map<string, number>();
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    let table: KeyPath = [];
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      table = this.#peek() === "[" ? this.#header() : this.#pair(table);
    }
  }

  #header(): KeyPath {
    const isArray = this.#text.startsWith("[[", this.#at);
    this.#at += isArray ? 2 : 1;
    const line = this.#line;
    const names = this.#key("]");
    this.#at += isArray ? 2 : 1;
    let path: KeyPath = [];
    for (const [index, name] of names.entries()) {
      path = [...path, name];
      const last = this.#lastIndex.get(keyOf(path));
      const appends = isArray && index === names.length - 1;
      this.#note(path, line);
      if (appends) this.#lastIndex.set(keyOf(path), (last ?? -1) + 1);
      if (appends || last !== undefined) path = [...path, appends ? (last ?? -1) + 1 : (last ?? 0)];
    }
    this.#note(path, line);
    return path;
  }

  /** `key = value`; returns `table`, which it is part of. */
  #pair(table: KeyPath): KeyPath {
    const line = this.#line;
    let path = table;
    for (const name of this.#key("=")) {
      path = [...path, name];
      this.#note(path, line);
    }
    this.#at += 1;
    this.#value(path);
    return table;
  }

  #note(path: KeyPath, line: number): void {
    const key = keyOf(path);
    if (!this.lines.has(key)) this.lines.set(key, line);
  }

  #value(path: KeyPath): void {
    this.#skipBlank();
    this.#note(path, this.#line);
    const first = this.#peek();
    if (first === '"' || first === "'") this.#string();
    else if (first === "[") this.#array(path);
    else if (first === "{") this.#inlineTable(path);
    else this.#skip(/[^\s,\]}#]+(?: \d[^\s,\]}#]*)?|\}/y);
  }

  #array(path: KeyPath): void {
    this.#at += 1;
    for (let index = 0; ; index += 1) {
      this.#skipSeparators();
      if (this.#peek() === "]" || this.#at >= this.#text.length) break;
      this.#value([...path, index]);
    }
    this.#at += 1;
  }

  #inlineTable(path: KeyPath): void {
    this.#at += 1;
    for (;;) {
      this.#skipSeparators();
      if (this.#peek() === "}" || this.#at >= this.#text.length) break;
      this.#pair(path);
    }
    this.#at += 1;
  }

  /** A possibly dotted key; stops at `end`. */
  #key(end: string): string[] {
    const names: string[] = [];
    while (this.#at < this.#text.length) {
      this.#skip(/[ \t.]+/y);
      const next = this.#peek();
      if (next === end) break;
      const quoted = next === '"' || next === "'";
      const raw = quoted ? this.#string() : this.#skip(/[^\s.=\]]+|[\s\S]/y);
      names.push(quoted ? unquote(raw) : raw);
    }
    return names;
  }

  #string(): string {
    const quote = this.#peek();
    if (this.#text.startsWith(quote.repeat(3), this.#at)) {
      return this.#skip(quote === '"' ? /"""(?:\\[\s\S]|[^\\])*?"""+|"/y : /'''[\s\S]*?'''+|'/y);
    }
    return this.#skip(quote === '"' ? /"(?:\\.|[^"\\\n])*"?/y : /'[^'\n]*'?/y);
  }

  #skipBlank(): void {
    this.#skip(/(?:\s+|#[^\n]*)*/y);
  }

  #skipSeparators(): void {
    this.#skip(/(?:[\s,]+|#[^\n]*)*/y);
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const matched = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += matched.length;
    for (const char of matched) if (char === "\n") this.#line += 1;
    return matched;
  }
}

function unquote(raw: string): string {
  if (raw.startsWith("'")) return raw.slice(1, -1);
  try {
    return JSON.parse(raw) as string;
  } catch {
    // TOML's own escapes (\e, \x, \U): the line of such a key is its parent's
    return raw;
  }
}
