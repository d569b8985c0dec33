import type { Clock } from "../base/clock.ts";
import { type AlError, toAlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Serial } from "../schedule/serial.ts";
import { applyRules, type IsolationTools, lookAtRules } from "./apply-rules.ts";
import { probeIsolation } from "./isolation-probe.ts";

/** Whether runs may start, as far as the network is concerned. */
export type Isolation =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: string };

/** What keeping runs isolated takes. */
export interface IsolationOptions {
  /** Read afresh each time, since the release may change. */
  readonly tools: () => Promise<IsolationTools>;
  readonly runtimeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told whenever the verdict may have changed. */
  readonly onChange: (isolation: Isolation) => void;
  /** One look or change at a time: the containers they are made with have fixed names. */
  readonly serial: Serial;
}

const RECHECK_MS = 60_000;
const FIRST_RETRY_MS = 1000;
/** No run starts meanwhile: a schedule's ticks would be skipped. */
const LONGEST_RETRY_MS = 10_000;

/**
 * Puts the rules in place and probes from inside; from then on sees to it every minute that they are
 * still there. While they cannot be proved, nothing is ready. Ends when aborted.
 */
export async function keepIsolated(options: IsolationOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, onChange } = options;
  let proved = false;
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      await options.serial(() => prove(options, { proved, signal }));
      if (!proved) logger.info({}, "isolation probe passed");
      proved = true;
      retryMs = FIRST_RETRY_MS;
      onChange({ ready: true });
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toAlError(thrown);
      const reason = reasonOf(error);
      logger.error({ reason }, "runs are not isolated, so none starts");
      proved = false;
      onChange({ ready: false, reason });
    }
    await clock.sleep(proved ? RECHECK_MS : retryMs, signal).catch(() => undefined);
    if (!proved) retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }
}

/** Puts the rules in place now and probes from inside; true when some were missing. */
export async function restoreIsolation(
  options: IsolationOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const { serial, onChange } = options;
  try {
    const rules = await serial(() => prove(options, { proved: false, signal }));
    onChange({ ready: true });
    return rules === "changed";
  } catch (thrown) {
    const error = toAlError(thrown);
    onChange({ ready: false, reason: reasonOf(error) });
    throw error;
  }
}

/** Looks whether the rules are in place, and changes nothing. */
export async function lookAtIsolation(
  { serial, tools }: IsolationOptions,
  signal: AbortSignal,
): Promise<"in-place" | "missing"> {
  const found = await serial(async () => lookAtRules(await tools(), signal));
  return found === "ok" ? "in-place" : "missing";
}

async function prove(
  { tools, runtimeName, logger }: IsolationOptions,
  { proved, signal }: { readonly proved: boolean; readonly signal: AbortSignal },
): Promise<"ok" | "changed"> {
  const found = await tools();
  const rules = await applyRules(found, signal);
  if (proved && rules === "ok") return rules;
  if (proved) logger.warn({}, "network rules were missing and have been put back");
  await probeIsolation(found, runtimeName, signal);
  return rules;
}

function reasonOf(error: AlError): string {
  return error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
}
