import { holdText } from "../../core/hold.ts";

/** Since when (ms since the epoch) and by whom, as it comes from a host. */
type Held = Parameters<typeof holdText>[0];

/** What is held back: one agent of a host, or without one everything there. */
export interface HeldWhat {
  readonly state: "paused" | "disabled";
  readonly agent?: string | undefined;
}

/** `stopped since 2026-01-31 08:00 UTC by ann@laptop`; of a marker made by hand nothing more is known. */
export function stoppedText(hold: Held): string {
  return hold.since === 0 ? "stopped" : `stopped ${holdText(hold)}`;
}

/** `paused since 2026-01-31 08:00 UTC by ann@laptop` */
export function heldText({ state }: HeldWhat, hold: Held): string {
  return `${state} ${holdText(hold)}`;
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
