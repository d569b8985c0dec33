/** A terminal that knows the sequences we use, and fails on any other. */
export class FakeTerminal {
  readonly isTTY = true;
  columns: number;
  readonly rows: number;
  writes = 0;
  /** Logical lines; one longer than the terminal is wide takes several rows. */
  #lines: string[] = [""];
  #scrolled: string[] = [];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): boolean {
    this.writes++;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals obey
    for (const [token, digits, letter] of text.matchAll(/\x1b\[(\d*)([A-Z])|[\s\S]/gu)) {
      if (letter === undefined) this.#put(token);
      else this.#obey(letter, Number(digits || "1"));
    }
    return true;
  }

  /** Rewraps what is there, as terminals do when their window is changed. */
  resize(columns: number): void {
    const rows = this.#lines.flatMap((line) => chunks(line, columns));
    this.#row = rows.length - 1;
    this.#lines = rows;
    this.columns = columns;
  }

  /** Rows that are on the screen, without the empty one the cursor is in. */
  screen(): readonly string[] {
    return this.#lines.at(-1) === "" ? this.#lines.slice(0, -1) : [...this.#lines];
  }

  /** The same, with what has scrolled out of it. */
  everything(): readonly string[] {
    return [...this.#scrolled, ...this.screen()];
  }

  #put(char: string): void {
    if (char === "\r") this.#column = 0;
    else if (char === "\n") this.#down();
    else {
      const wide = char.length > 1 ? 2 : 1;
      if (this.#column + wide > this.columns) this.#down();
      const line = (this.#lines[this.#row] ?? "").padEnd(this.#column);
      this.#lines[this.#row] = line.slice(0, this.#column) + char + line.slice(this.#column + 1);
      this.#column += wide;
    }
  }

  #down(): void {
    this.#column = 0;
    this.#row++;
    if (this.#row === this.#lines.length) this.#lines.push("");
    if (this.#lines.length > this.rows) {
      this.#scrolled.push(this.#lines.shift() ?? "");
      this.#row--;
    }
  }

  #obey(letter: string, count: number): void {
    const line = this.#lines[this.#row] ?? "";
    if (letter === "A") this.#row = Math.max(0, this.#row - count);
    else if (letter === "K") this.#lines[this.#row] = line.slice(0, this.#column);
    else if (letter === "J") {
      this.#lines.length = this.#row + 1;
      this.#lines[this.#row] = line.slice(0, this.#column);
    } else throw new Error(`unknown sequence ${letter}`);
  }
}

function chunks(line: string, width: number): string[] {
  const found: string[] = [];
  for (let at = 0; at < line.length; at += width) found.push(line.slice(at, at + width));
  return found.length > 0 ? found : [""];
}
