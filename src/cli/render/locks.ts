import type { LocksAnswer } from "../../gateway/steering-schema.ts";
import { tableLines, timeText } from "./table.ts";

/** A lock, and the host whose runs it keeps apart. */
export type HostLocked = LocksAnswer["locks"][number] & { readonly host: string };

const HEAD = ["RESOURCE", "HOST", "RUN", "AGENT", "SINCE", "EXPIRES", "WAITING"];

/** Locks as a table, a line each under a line of headings. */
export function lockTable(locks: readonly HostLocked[]): string[] {
  if (locks.length === 0) return ["no locks"];
  return tableLines(
    HEAD,
    locks.map(({ resourceKey, host, run, agent, heldSince, expiresAt, waiting }) => [
      ...[resourceKey, host, run, agent, timeText(heldSince), timeText(expiresAt)],
      String(waiting),
    ]),
  );
}
