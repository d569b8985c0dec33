import type { Json } from "../base/canonical-json.ts";

/** Why a run started, with what its sender said. */
export type Trigger =
  | { readonly kind: "manual" }
  | { readonly kind: "schedule" }
  | {
      readonly kind: "webhook";
      /** The webhook's type: github, sentry, linear, mintlify. */
      readonly source: string;
      /** What the provider's adapter took from the delivery. */
      readonly context: Readonly<Record<string, Json>>;
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
