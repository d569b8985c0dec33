import { printable } from "../../base/printable.ts";
import type { Hold } from "../../core/hold.ts";
import { timeText } from "./table.ts";

/** `stopped by ann@laptop since 2026-01-31 21:04:05Z` */
export function stoppedText(hold: Hold): string {
  return `stopped${holdText(hold)}`;
}

/** `paused by ann@laptop since 2026-01-31 21:04:05Z` */
export function pausedText(hold: Hold): string {
  return `paused${holdText(hold)}`;
}

/** Who and since when, as far as is known. */
function holdText({ by, since }: Hold): string {
  const who = by === undefined ? "" : ` by ${printable(by)}`;
  return since === 0 ? who : `${who} since ${timeText(since)}`;
}
