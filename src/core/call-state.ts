import type { Json } from "../base/canonical-json.ts";

/** How a call stands, for the run that made it. */
export type CallState =
  | { readonly status: "pending" | "running" }
  | { readonly status: "completed"; readonly returnValue?: Json }
  | { readonly status: "error"; readonly errorMessage: string };
