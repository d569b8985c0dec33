import { z } from "zod";
import { counted } from "./counted.ts";

const count = z.int().positive();
const dollars = z.number().positive().max(1_000_000);

/** `[limits]` of agent-config.toml: what an agent may use; absent means no limit. */
export const RunLimits = z.strictObject({
  /** Of all kinds, those from a cache included. */
  maxTokensPerRun: count.optional(),
  /** US dollars. */
  maxCostPerRun: dollars.optional(),
  /** Answers of the model. */
  maxTurns: count.optional(),
  maxRunsPerDay: count.optional(),
  /** US dollars, of the runs that started that day. */
  maxCostPerDay: dollars.optional(),
});
export type RunLimits = z.infer<typeof RunLimits>;

const sum = z.number().nonnegative().max(1e15);

/** What a run has used, summed over its turns. Cost in US dollars, 0 for a model without a price. */
export const TokenUsage = z.object({
  inputTokens: sum,
  outputTokens: sum,
  cacheReadTokens: sum,
  cacheWriteTokens: sum,
  totalTokens: sum,
  cost: sum,
  turnCount: sum,
});
export type TokenUsage = z.infer<typeof TokenUsage>;

/** The larger of each figure: what was used does not get less, whatever a later line says. */
export function mostUsage(before: TokenUsage | undefined, now: TokenUsage): TokenUsage {
  if (!before) return now;
  const names = Object.keys(TokenUsage.shape) as (keyof TokenUsage)[];
  const larger = names.map((name) => [name, Math.max(before[name], now[name])]);
  return Object.fromEntries(larger) as TokenUsage;
}

/** Which limit of a run this usage is over, in words; undefined when none. */
export function overRunLimit(limits: RunLimits = {}, usage?: TokenUsage): string | undefined {
  if (!usage) return undefined;
  const { maxTokensPerRun, maxCostPerRun, maxTurns } = limits;
  if (maxTokensPerRun !== undefined && usage.totalTokens > maxTokensPerRun) {
    return `it used ${usage.totalTokens} tokens; maxTokensPerRun is ${maxTokensPerRun}`;
  }
  if (maxCostPerRun !== undefined && usage.cost > maxCostPerRun) {
    return `it cost $${usage.cost.toFixed(4)}; maxCostPerRun is ${maxCostPerRun}`;
  }
  if (maxTurns !== undefined && usage.turnCount > maxTurns) {
    return `it took ${usage.turnCount} turns; maxTurns is ${maxTurns}`;
  }
  return undefined;
}

/** What an agent's runs of one day came to. */
export interface DayUse {
  readonly runs: number;
  /** US dollars. */
  readonly cost: number;
}

/** Which limit of a day leaves no room for one more run, in words; undefined when none. */
export function overDayLimit(limits: RunLimits = {}, { runs, cost }: DayUse): string | undefined {
  const { maxRunsPerDay, maxCostPerDay } = limits;
  if (maxRunsPerDay !== undefined && runs >= maxRunsPerDay) {
    return `it has ${counted(runs, "run")} today; maxRunsPerDay is ${maxRunsPerDay}`;
  }
  if (maxCostPerDay !== undefined && cost >= maxCostPerDay) {
    return `its runs cost $${cost.toFixed(4)} today; maxCostPerDay is ${maxCostPerDay}`;
  }
  return undefined;
}

/** True when an agent has a limit that is about a day. */
export function hasDayLimit({ maxRunsPerDay, maxCostPerDay }: RunLimits = {}): boolean {
  return maxRunsPerDay !== undefined || maxCostPerDay !== undefined;
}

/** The calendar day of a time (ms) in a timezone, UTC by default: `2026-01-31`. */
export function dayOf(time: number, timezone?: string): string {
  return dayFormat(timezone).format(time);
}

/** When the calendar day of a time began in a timezone, UTC by default; ms since the epoch. */
export function startOfDay(time: number, timezone?: string): number {
  const format = dayFormat(timezone);
  const day = format.format(time);
  // Longer than any day, one with a change of the clocks included.
  let before = time - 26 * 60 * 60 * 1000;
  let within = time;
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (format.format(middle) === day) within = middle;
    else before = middle;
  }
  return within;
}

function dayFormat(timeZone = "UTC"): Intl.DateTimeFormat {
  const parts = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  return new Intl.DateTimeFormat("en-CA", { timeZone, ...parts });
}
