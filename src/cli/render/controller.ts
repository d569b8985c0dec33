import { assertNever } from "../../base/assert-never.ts";
import { shortHash } from "../../core/names.ts";
import type { ControllerEvent } from "../../reconcile/controller.ts";
import { errorRecord, errorText } from "./output.ts";
import { eventLine, resultLines, resultRecord } from "./results.ts";

/** A controller's event as lines for a person. */
export function controllerLines(event: ControllerEvent): readonly string[] {
  switch (event.kind) {
    case "started":
      return [`watching; every host is looked at at least every ${event.intervalMs / 1000} s`];
    case "empty":
      return ["the branch has no commit yet; waiting for the first push"];
    case "revision":
      return [`revision ${shortHash(event.revision)}`];
    case "refused":
      return [event.report, "the last good revision stays"];
    case "source-failed":
      return [errorText(event.error)];
    case "pass": {
      const line = eventLine(event.event);
      return line === undefined ? [] : [line];
    }
    case "result":
      return resultLines(event.result);
    default:
      return assertNever(event);
  }
}

/** The same for machines. */
export function controllerRecord(event: ControllerEvent): Record<string, unknown> {
  switch (event.kind) {
    case "source-failed":
      return { kind: event.kind, error: errorRecord(event.error) };
    case "pass":
      return { ...event.event };
    case "result":
      return { kind: "result", revision: event.revision, result: resultRecord(event.result) };
    case "started":
    case "empty":
    case "revision":
    case "refused":
      return { ...event };
    default:
      return assertNever(event);
  }
}
