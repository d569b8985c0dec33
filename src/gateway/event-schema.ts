import { z } from "zod";
import { outcomes, runStates } from "../core/run.ts";
import { webhookTypes } from "../core/webhook-types.ts";

const facts = { at: z.int().nonnegative(), run: z.string(), agent: z.string() };
const refused = z.array(z.object({ agent: z.string(), reason: z.string() }));

/**
 * Something that happened in a runtime, as `GET /control/events` tells it. `at` is in ms since the epoch,
 * `run` an id. No secret, no context of a trigger and no body of a webhook is in it.
 */
export const RuntimeEvent = z
  .discriminatedUnion("kind", [
    /** A run is in another state. */
    z.object({
      ...{ kind: z.literal("run"), ...facts },
      state: z.enum(runStates),
      /** schedule, webhook, call or manual. */
      trigger: z.string(),
      rerunOf: z.string().optional(),
      outcome: z.enum(outcomes).optional(),
      exitCode: z.int().optional(),
      detail: z.string().optional(),
    }),
    /** A run took a lock, or it is free again; of one that expired nothing is told. */
    z.object({
      ...{ kind: z.literal("lock"), ...facts },
      change: z.enum(["acquired", "released"]),
      resourceKey: z.string(),
    }),
    /** A run called another agent: the run that was made of it, or why none was. */
    z.object({
      ...{ kind: z.literal("call"), ...facts },
      target: z.string(),
      called: z.string().optional(),
      refused: z.string().optional(),
    }),
    /** A run said something of itself; what it returns is not told. */
    z.object({
      ...{ kind: z.literal("signal"), at: facts.at, run: facts.run },
      signal: z.enum(["rerun", "status", "return"]),
      text: z.string().optional(),
    }),
    /** A delivery was let in. */
    z.object({
      ...{ kind: z.literal("webhook"), at: facts.at },
      receipt: z.string(),
      type: z.enum(webhookTypes),
      sources: z.array(z.string()),
      deliveryId: z.string(),
      outcome: z.enum(["accepted", "duplicate", "refused"]),
      /** Ids. */
      runs: z.array(z.string()),
      refused,
    }),
    /** The runtime, or an agent, is in another state. `missed`: events before this one are not kept. */
    z.object({
      ...{ kind: z.literal("state"), at: facts.at },
      change: z.enum([
        ...(["paused", "resumed", "disabled", "enabled"] as const),
        ...(["ready", "not-ready", "reloaded", "stopping", "missed"] as const),
      ]),
      agent: z.string().optional(),
      by: z.string().optional(),
      reason: z.string().optional(),
    }),
  ])
  .meta({ id: "Event" });
export type RuntimeEvent = z.infer<typeof RuntimeEvent>;

type Untimed<E> = E extends RuntimeEvent ? Omit<E, "at"> : never;

/** An event that happens now. */
export type NewEvent = Untimed<RuntimeEvent>;
