import { printable } from "../../base/printable.ts";
import { timeText } from "./table.ts";

/** As it comes from a host or a file there. */
interface Held {
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly by?: string | undefined;
}

/** What is held back: one agent of a host, or without one everything there. */
export interface HeldWhat {
  readonly state: "paused" | "disabled";
  readonly agent?: string | undefined;
}

/** `stopped by ann@laptop since 2026-01-31 21:04:05Z`; a marker without a time is told without one. */
export function stoppedText({ since, ...hold }: Held): string {
  return since === 0 ? `stopped${whoText(hold)}` : `stopped${holdText({ since, ...hold })}`;
}

/** `paused by ann@laptop since 2026-01-31 21:04:05Z` */
export function heldText({ state }: HeldWhat, hold: Held): string {
  return `${state}${holdText(hold)}`;
}

/** The same for one host, as an answer to who asked for it. */
export function heldLine(host: string, what: HeldWhat, hold: Held): string {
  return `${host}: ${subject(what)}${heldText(what, hold)}`;
}

/** That something is held back no more. */
export function letGoLine(host: string, what: HeldWhat, was: boolean): string {
  const { state } = what;
  if (!was) return `${host}: ${subject(what)}was not ${state}`;
  return `${host}: ${subject(what)}${state === "paused" ? "resumed" : "enabled"}`;
}

function subject({ agent }: HeldWhat): string {
  return agent === undefined ? "" : `${agent} `;
}

function holdText({ since, ...hold }: Held): string {
  return `${whoText(hold)} since ${timeText(since)}`;
}

function whoText({ by }: Pick<Held, "by">): string {
  return by === undefined ? "" : ` by ${printable(by)}`;
}
