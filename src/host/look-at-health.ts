import type { Clock } from "../base/clock.ts";
import type { CallOptions } from "../base/deadline.ts";
import type { Transport } from "../transport/transport.ts";
import { HEALTH_SCRIPT } from "./health-script.ts";
import { type HealthLook, parseHealth } from "./parse-health.ts";

/** A name that every host should be able to resolve. */
const KNOWN_NAME = "github.com";

/** Looks at a host's health, in one exec; changes nothing. */
export async function lookAtHealth(
  transport: Transport,
  clock: Clock,
  options: CallOptions = {},
): Promise<HealthLook> {
  const startMs = clock.now();
  const looked = await transport.exec(["sh", "-c", HEALTH_SCRIPT, "sh", KNOWN_NAME], {
    timeoutMs: 60_000,
    ...options,
  });
  return parseHealth(transport.host, looked.stdout.toString("utf8"), startMs);
}
