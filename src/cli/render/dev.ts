import { assertNever } from "../../base/assert-never.ts";
import { shortHash } from "../../core/names.ts";
import type { Stopped } from "../../core/stopped.ts";
import type { ControllerEvent } from "../../reconcile/controller.ts";
import { controllerRecord } from "./controller.ts";
import { stoppedText } from "./holds.ts";
import { errorText, type Output } from "./output.ts";
import { eventLine, resultLines } from "./results.ts";

/** What `al dev` watches, for its first line. */
export interface DevSubject {
  readonly directory: string;
  readonly project: string;
}

/**
 * Shows what `al dev` does. For a person that is what changed, and problems once, not every look at a
 * machine that is as it should be; machines get every event.
 */
export function devReporter(output: Output, subject: DevSubject): (event: ControllerEvent) => void {
  let last = "";
  return (event) => {
    output.record(controllerRecord(event));
    const lines = devLines(event, subject);
    if (event.kind === "revision") last = "";
    if (event.kind === "result" || event.kind === "source-failed") {
      const text = lines.join("\n");
      if (text === last) return;
      last = text;
    }
    for (const line of lines) output.line(line);
  };
}

function devLines(event: ControllerEvent, { directory, project }: DevSubject): readonly string[] {
  switch (event.kind) {
    case "started":
      return [`watching ${directory} as project ${project}; Ctrl-C ends it and stops the project`];
    case "refused":
      return [event.report, "the last good state stays"];
    case "source-failed":
      // A file that is being written makes itself known again when it is done.
      return event.error.code === "tree-changed" ? [] : [errorText(event.error)];
    case "pass": {
      const shown = event.event.kind === "action-progress" || event.event.kind === "rolling-back";
      const line = shown ? eventLine(event.event) : undefined;
      return line === undefined ? [] : [line];
    }
    case "result":
      if (event.result.kind === "stopped") return stoppedLines(event.result);
      if (event.result.kind === "applied") return [`live: ${shortHash(event.revision)}`];
      return resultLines(event.result);
    case "empty":
    case "revision":
      return [];
    default:
      return assertNever(event);
  }
}

function stoppedLines({ stopped }: { readonly stopped: Stopped }): readonly string[] {
  return [`left alone, ${stoppedText(stopped)}`, "  to start it: al start --dev"];
}
