import { Secret } from "../../src/base/secret.ts";
import { createRateLimiter } from "../../src/cloud/rate-limiter.ts";
import {
  openVultr,
  VULTR_REQUESTS_PER_SECOND,
  type VultrOptions,
} from "../../src/cloud/vultr-http.ts";
import { vultrProvider } from "../../src/cloud/vultr-provider.ts";
import type { MachineProvider } from "../../src/provisioning/ports.ts";
import { fetchFrom } from "./in-process.ts";
import { LeapingClock } from "./leaping-clock.ts";
import { type StandInOptions, VultrStandIn } from "./stand-in.ts";

/** A stand-in with a clock that leaps, and ways to it. */
export function vultrRig(options: StandInOptions = {}, clock = new LeapingClock()) {
  const standIn = new VultrStandIn({ clock, ...options });
  const send = (more: Partial<VultrOptions> = {}) =>
    openVultr({
      key: new Secret(standIn.key),
      limiter: createRateLimiter(VULTR_REQUESTS_PER_SECOND, clock),
      clock,
      random: () => 0.5,
      fetch: fetchFrom(standIn),
      baseUrl: "http://vultr.test/v2",
      ...more,
    });
  // The annotation makes the adapter satisfy the port.
  const provider = (more: Partial<VultrOptions> = {}): MachineProvider => vultrProvider(send(more));
  return { clock, standIn, send, provider };
}
