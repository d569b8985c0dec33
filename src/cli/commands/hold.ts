import type { HoldAnswer } from "../../gateway/control-schema.ts";
import type { CliContext } from "../context.ts";
import { type HeldWhat, heldLine, letGoLine } from "../render/holds.ts";
import { disable, enable, pause, resume } from "../steering.ts";
import { answered, askRuntimes, type RuntimeSelection, reportFailures } from "./each-runtime.ts";
import type { LiveRuntime } from "./live-runtime.ts";

/** `al pause [AGENT]`: nothing of the hosts, or of one agent there, starts until `al resume`. */
export function pauseHosts(context: CliContext, selection: RuntimeSelection): Promise<number> {
  const { person: by, signal } = context;
  const { agent } = selection;
  return hold(context, selection, {
    what: { state: "paused", agent },
    ask: (live) => pause(live, { agent, by }, signal),
  });
}

/** `al resume [AGENT]`: ends a pause. */
export function resumeHosts(context: CliContext, selection: RuntimeSelection): Promise<number> {
  const { agent } = selection;
  return letGo(context, selection, {
    what: { state: "paused", agent },
    ask: (live) => resume(live, { agent }, context.signal),
  });
}

/** `al disable AGENT`: it takes no trigger until `al enable`. */
export function disableAgent(
  context: CliContext,
  selection: RuntimeSelection & { readonly agent: string },
): Promise<number> {
  const { person: by, signal } = context;
  const { agent } = selection;
  return hold(context, selection, {
    what: { state: "disabled", agent },
    ask: (live) => disable(live, { agent, by }, signal),
  });
}

/** `al enable AGENT`: it takes triggers again. */
export function enableAgent(
  context: CliContext,
  selection: RuntimeSelection & { readonly agent: string },
): Promise<number> {
  const { agent } = selection;
  return letGo(context, selection, {
    what: { state: "disabled", agent },
    ask: (live) => enable(live, agent, context.signal),
  });
}

async function hold(
  context: CliContext,
  selection: RuntimeSelection,
  of: { readonly what: HeldWhat; readonly ask: (live: LiveRuntime) => Promise<HoldAnswer> },
): Promise<number> {
  const { output } = context;
  const answers = await askRuntimes(context, selection, of.ask);
  for (const { host, answer } of answered(answers)) {
    output.record({ kind: of.what.state, host, agent: of.what.agent, ...answer });
    output.line(heldLine(host, of.what, answer));
  }
  return reportFailures(context, answers);
}

async function letGo(
  context: CliContext,
  selection: RuntimeSelection,
  of: { readonly what: HeldWhat; readonly ask: (live: LiveRuntime) => Promise<boolean> },
): Promise<number> {
  const { output } = context;
  const { state, agent } = of.what;
  const answers = await askRuntimes(context, selection, of.ask);
  for (const { host, answer } of answered(answers)) {
    const kind = state === "paused" ? "resumed" : "enabled";
    output.record({ kind, host, agent, [kind]: answer });
    output.line(letGoLine(host, of.what, answer));
  }
  return reportFailures(context, answers);
}
