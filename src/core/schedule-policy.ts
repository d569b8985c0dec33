/** What becomes of ticks that a schedule missed: nothing, or one run for all of them. */
export const catchUps = ["none", "once"] as const;
export type CatchUp = (typeof catchUps)[number];

/** What follows a run that was interrupted: nothing, or another run of the same trigger. */
export const interruptions = ["none", "rerun"] as const;
export type OnInterrupted = (typeof interruptions)[number];
