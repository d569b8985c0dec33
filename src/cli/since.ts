const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const DURATION = /^(\d{1,9}[smhdw])+$/;
const TIME = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * A point in time as people write it: how long ago (`90s`, `10m`, `1h30m`, `2d`, `1w`), or a date with or
 * without a time (`2026-01-31`, `2026-01-31T08:00`), which is this machine's local time unless it names its
 * zone. In ms since the epoch; undefined for anything else.
 */
export function parseSince(text: string, now: number): number | undefined {
  if (DURATION.test(text)) return now - durationMs(text);
  if (!TIME.test(text)) return undefined;
  const time = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(" ", "T"));
  return Number.isNaN(time) ? undefined : time;
}

function durationMs(text: string): number {
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)([smhdw])/g)) {
    total += Number(amount) * (UNITS_MS[unit ?? ""] ?? 0);
  }
  return total;
}
