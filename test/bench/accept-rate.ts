import { join } from "node:path";
import { inOwnNetwork } from "./own-network.ts";

/** How fast deliveries are accepted, beside a bare hono with one insert for each. Medians. */
export interface AcceptRate {
  readonly perSecond: number;
  readonly barePerSecond: number;
  /** The rate at which the latencies were measured, per second. */
  readonly halfRate: number;
  readonly p99Ms: number;
  readonly bareP99Ms: number;
  /** Processor time of a delivery, the door's included. */
  readonly processorMs: number;
  readonly bareProcessorMs: number;
  /** Deliveries under way at a time. */
  readonly parallel: number;
  readonly bodyBytes: number;
}

/** Sends signed GitHub deliveries to the runtime and to the bare server, in turn. */
export function measureAcceptRate(): Promise<AcceptRate> {
  return inOwnNetwork(join(import.meta.dirname, "accept-rate-process.ts"));
}
