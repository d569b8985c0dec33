import { type DestinationStream, pino } from "pino";

/** Structured facts beside a constant message: host, agent, revision, run, pass. Never a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The log port. `child` adds fields to every line. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
}

/** JSON lines to a stream (standard error unless told), written synchronously: nothing is lost on exit. */
export function createLogger(
  options: { level?: string; destination?: DestinationStream } = {},
): Logger {
  const destination = options.destination ?? pino.destination({ fd: 2, sync: true });
  return pino({ level: options.level ?? "info", base: null }, destination);
}

/** Drops everything; for tests and for pure callers. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
