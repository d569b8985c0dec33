import type { GatewayAnswer } from "./gateway-client.ts";

/** What a command prints, and the status it exits with. */
export interface CommandResult {
  readonly exitStatus: number;
  readonly answer: unknown;
}

/** Exit status of al-wait when calls were still under way at the end of its time. */
export const TIMED_OUT = 8;
/** Exit status of a command that was not used as it should. */
export const USAGE = 9;
const OTHER = 7;

/** 0 stands for no connection. */
const EXIT_STATUSES: ReadonlyMap<number, number> = new Map([
  [200, 0],
  [409, 1],
  [404, 2],
  [403, 3],
  [400, 4],
  [503, 5],
  [0, 6],
  [502, 10],
  [504, 11],
  [500, 12],
]);

/** The gateway's own words, and the exit status for its HTTP status. */
export function resultOf({ status, body }: Pick<GatewayAnswer, "status" | "body">): CommandResult {
  return { exitStatus: EXIT_STATUSES.get(status) ?? OTHER, answer: body };
}
