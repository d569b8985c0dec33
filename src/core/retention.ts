import { z } from "zod";

const DAY_MS = 24 * 60 * 60 * 1000;

/** What a project may say of how long its runs are kept: `[retention]` of config.toml. */
export const RunRetention = z.strictObject({
  /** Records and logs of runs, from their end on. */
  days: z.int().positive(),
  /** Of all logs on a host together; the oldest go first. */
  logBytes: z.int().positive(),
});
export type RunRetention = z.infer<typeof RunRetention>;

/** Where a project does not say. */
export const RUN_RETENTION: RunRetention = { days: 30, logBytes: 2 * 1024 ** 3 };

/** How long, and of how many bytes of bodies, receipts are kept. */
export const RECEIPT_RETENTION = { ms: 14 * DAY_MS, bodyBytes: 512 * 1024 * 1024 } as const;

/** A return value is kept for the run that called, and for a day beyond the end of its own. */
export const RETURN_VALUE_MS = DAY_MS;

/** The time (ms since the epoch) before which a run must have ended to be forgotten. */
export function forgottenBefore(now: number, { days }: RunRetention): number {
  return now - days * DAY_MS;
}
