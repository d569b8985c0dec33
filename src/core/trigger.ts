import type { Json } from "../base/canonical-json.ts";

/** Why a run started, with what its sender said. */
export type Trigger =
  | {
      readonly kind: "manual";
      /** Who started it, as their `al` says: `ann@laptop`. */
      readonly by?: string;
    }
  | { readonly kind: "schedule" }
  /** The run's record was lost while it ran: nobody knows any more. */
  | { readonly kind: "lost" }
  | {
      readonly kind: "webhook";
      /** The webhook's type: github, sentry, linear, mintlify; `manual` for a context without one. */
      readonly source: string;
      /** What the provider's adapter took from the delivery. */
      readonly context: Readonly<Record<string, Json>>;
      /** Who gave the context by hand; absent for a delivery. */
      readonly by?: string;
    }
  | {
      readonly kind: "call";
      /** The calling agent's name. */
      readonly caller: string;
      /** The calling run's id. */
      readonly callerRun: string;
      /** How many calls lead here: 1 when the calling run was not called itself. */
      readonly depth: number;
      readonly context: Json;
    };

/** A trigger without what its sender said, which may be large. */
export type TriggerFacts = Trigger extends infer T
  ? T extends Trigger
    ? Omit<T, "context">
    : never
  : never;

/** Longest context of a trigger, in bytes of JSON. */
export const MAX_CONTEXT_BYTES = 10 * 1024 * 1024;

/** A trigger's facts, and its context as JSON; undefined where that kind has none. */
export function splitTrigger(trigger: Trigger): { facts: TriggerFacts; context?: string } {
  if (!("context" in trigger)) return { facts: trigger };
  const { context, ...facts } = trigger;
  return { facts, context: JSON.stringify(context) };
}

/** What {@link splitTrigger} took apart. */
export function joinTrigger(facts: TriggerFacts, context: string | undefined): Trigger {
  if (context === undefined) return facts as Trigger;
  return { ...facts, context: JSON.parse(context) } as Trigger;
}
