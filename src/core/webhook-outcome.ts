/** An agent for which no run was accepted, and why. */
export interface RefusedAgent {
  readonly agent: string;
  readonly reason: string;
}

/**
 * What became of a delivery. `accepted`: stored, with these runs (ids). `duplicate`: it was accepted
 * before, nothing was stored. `refused`: none of its agents can take a run now, but one may later;
 * nothing was stored, so that it may be sent again.
 */
export type DeliveryOutcome =
  | {
      readonly kind: "accepted";
      readonly runs: readonly string[];
      readonly refused: readonly RefusedAgent[];
    }
  | { readonly kind: "duplicate" }
  | { readonly kind: "refused"; readonly refused: readonly RefusedAgent[] };
