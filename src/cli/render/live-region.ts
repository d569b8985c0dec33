/** As much of a terminal as is needed. */
export interface Terminal {
  /** Width and height in characters; undefined or 0 where the terminal does not say. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

/** Lines at the bottom of a terminal that are redrawn in place. */
export interface LiveRegion {
  /** Shows these lines in place of the last ones; equal lines write nothing. */
  draw(lines: readonly string[]): void;
  /** Lets `write` put whole lines above the region, which stays below them. */
  above(write: () => void): void;
  /** Lines that it has room for. */
  height(): number;
  /** Ends it: these lines stay in its place, as many as there are. */
  end(lines: readonly string[]): void;
}

const ERASE_LINE = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

/**
 * A region on this terminal. Each frame is one write that goes up and overwrites, so nothing
 * flickers; the cursor stays visible, below the region, so whatever happens leaves the terminal as
 * it should be. Lines are cut to the width, and to the height of the terminal.
 */
export function createLiveRegion(terminal: Terminal): LiveRegion {
  let shown: readonly string[] = [];
  const width = () => Math.max(20, terminal.columns || 80);
  const height = () => Math.max(2, (terminal.rows || 24) - 1);
  const cutWidths = (lines: readonly string[]) => lines.map((line) => cutWidth(line, width() - 1));
  const frame = (lines: readonly string[]) =>
    `${up(shown, width())}${lines.map((line) => `${line}${ERASE_LINE}\n`).join("")}${ERASE_BELOW}`;
  const wipe = () => {
    if (shown.length > 0) terminal.write(`${up(shown, width())}${ERASE_BELOW}`);
    shown = [];
  };
  return {
    draw(lines) {
      const next = cutWidths(cutHeight(lines, height()));
      if (next.length === shown.length && next.every((line, at) => line === shown[at])) return;
      terminal.write(frame(next));
      shown = next;
    },
    above(write) {
      const again = shown;
      wipe();
      write();
      if (again.length > 0) terminal.write(frame(again));
      shown = again;
    },
    height,
    end(lines) {
      if (lines.length > 0 || shown.length > 0) terminal.write(frame(cutWidths(lines)));
      shown = [];
    },
  };
}

/** To the beginning of what is shown; a terminal made narrower since has wrapped it. */
function up(shown: readonly string[], width: number): string {
  const rows = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / width)), 0);
  return rows === 0 ? "" : `\x1b[${rows}A\r`;
}

function cutHeight(lines: readonly string[], height: number): readonly string[] {
  if (lines.length <= height) return lines;
  const shown = lines.slice(0, height - 1);
  return [...shown, `... and ${lines.length - shown.length} more`];
}

function cutWidth(line: string, width: number): string {
  const plain = line.replace(/[\p{Cc}\p{Cf}]+/gu, " ");
  if (widthOf(plain) <= width) return plain;
  let cut = "";
  let used = 3;
  for (const char of plain) {
    used += widthOf(char);
    if (used > width) break;
    cut += char;
  }
  return `${cut}...`;
}

/** Columns a text takes at most: what is not ASCII may be wide. */
function widthOf(text: string): number {
  let width = 0;
  for (const char of text) width += char < "\x7f" ? 1 : 2;
  return width;
}
