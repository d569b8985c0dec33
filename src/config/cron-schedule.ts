import { Cron } from "croner";
import { z } from "zod";

/** A cron expression of 5 fields, or 6 with seconds first, that has a next time. */
export const CronSchedule = z.string().superRefine((text, context) => {
  const message = scheduleProblem(text);
  if (message) context.addIssue({ code: "custom", message });
});

/** An IANA time zone: `Europe/Berlin`. */
export const Timezone = z.string().superRefine((text, context) => {
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
  } catch {
    context.addIssue({
      code: "custom",
      message: "is not a time zone; write one like Europe/Berlin",
    });
  }
});

function scheduleProblem(text: string): string | undefined {
  const fields = text.trim().split(/\s+/).length;
  if (text.length > 200 || fields < 5 || fields > 6) {
    return "must have 5 fields (minute hour day month weekday), or 6 with seconds first";
  }
  try {
    const next = new Cron(text.trim(), { paused: true }).nextRun(new Date(0));
    return next ? undefined : "never happens: no date fits it";
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return `is not a cron expression: ${reason.replace(/^\w+: /, "")}`;
  }
}
