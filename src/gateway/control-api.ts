import { type Context, Hono } from "hono";
import type { Clock } from "../base/clock.ts";
import { AlError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Run } from "../core/run.ts";
import { answerError } from "./answers.ts";
import {
  type RulesAnswer,
  type RunAnswer,
  runAnswer,
  type StatusAnswer,
  type TriggerAnswer,
} from "./control-schema.ts";
import { logEvents } from "./log-events.ts";
import { limitBody, readTrigger } from "./manual-trigger.ts";
import { ndjson } from "./ndjson.ts";
import type { LogsPort, RunsPort, RuntimePort, SchedulePort } from "./ports.ts";
import { webhookControl } from "./webhook-control.ts";
import type { ReplayPorts } from "./webhook-replay.ts";

/** What the control API is wired to. */
export interface ControlApiPorts {
  readonly runtime: RuntimePort;
  readonly runs: RunsPort;
  readonly schedule: Omit<SchedulePort, "call">;
  readonly logs: LogsPort;
  readonly webhooks: ReplayPorts;
  readonly clock: Clock;
  readonly logger: Logger;
}

const RECENT_RUNS = 20;
const MAX_RUNS = 1000;

/** The operator's side; who may reach it is the listener's business. Errors are `ErrorAnswer`. */
export function controlApi(ports: ControlApiPorts): Hono {
  const app = new Hono();
  app.onError(answerError(ports.logger));
  app.notFound((context) => context.json({ error: "no such route", code: "not-found" }, 404));
  controlRoutes(app, ports);
  app.route("/", webhookControl(ports.webhooks));
  const serveLog = async (context: Context) => {
    const agent = context.req.param("agent") ?? "";
    const run = await runOf(ports.runs, agent, context.req.param("run"));
    const options = {
      follow: ["1", "true"].includes(context.req.query("follow") ?? ""),
      lines: count(context, "lines"),
      cursor: count(context, "cursor"),
      since: count(context, "since"),
    };
    return ndjson(context.req.raw, (signal) => logEvents(ports, run, { ...options, signal }));
  };
  app.get("/api/logs/agents/:agent", serveLog);
  app.get("/api/logs/agents/:agent/:run", serveLog);
  return app;
}

function controlRoutes(app: Hono, { runtime, runs, schedule }: ControlApiPorts): void {
  app.get("/control/status", async (context) => {
    const [report, agents, recent] = await Promise.all([
      runtime.report({ rules: context.req.query("rules") === "look" }),
      schedule.agents(),
      runs.list({ limit: RECENT_RUNS }),
    ]);
    const answer: StatusAnswer = { report, agents: [...agents], runs: recent.map(runAnswer) };
    return context.json(answer);
  });
  app.get("/control/runs", async (context) => {
    const limit = Math.min(count(context, "limit") ?? RECENT_RUNS, MAX_RUNS);
    const agent = context.req.query("agent");
    const found = await runs.list({ limit, ...(agent !== undefined && { agent }) });
    return context.json({ runs: found.map(runAnswer) });
  });
  app.get("/control/runs/:id", async (context) => {
    const run = await knownRun(runs, context.req.param("id"));
    return context.json(runAnswer(run) satisfies RunAnswer);
  });
  app.post("/control/trigger/:agent", limitBody, async (context) => {
    const trigger = await readTrigger(context);
    const run = await schedule.trigger(context.req.param("agent"), trigger);
    return context.json({ runId: run.id } satisfies TriggerAnswer, 202);
  });
  app.post("/control/kill/:id", async (context) => {
    const run = await knownRun(runs, context.req.param("id"));
    if (await schedule.kill(run.id)) return context.json({ killed: true });
    throw new AlError(`run ${run.id} is not running`, { code: "not-running", blame: "user" });
  });
  app.post("/control/rules", async (context) => {
    const restored = await runtime.restoreRules();
    return context.json({ restored } satisfies RulesAnswer);
  });
  app.post("/control/reload", async (context) => {
    await schedule.reload();
    return context.json({ ok: true });
  });
}

async function knownRun(runs: RunsPort, id: string): Promise<Run> {
  const run = await runs.get(id);
  if (run) return run;
  throw new AlError(`there is no run ${id}`, { code: "unknown-run", blame: "user" });
}

/** The named run of an agent, or its latest one. */
async function runOf(runs: RunsPort, agent: string, id: string | undefined): Promise<Run> {
  if (id !== undefined) {
    const run = await knownRun(runs, id);
    if (run.agent === agent) return run;
    const message = `run ${id} is not a run of agent ${agent}`;
    throw new AlError(message, { code: "unknown-run", blame: "user" });
  }
  const [latest] = await runs.list({ agent, limit: 1 });
  if (latest) return latest;
  throw new AlError(`agent ${agent} has not run yet`, { code: "no-runs", blame: "user" });
}

function count(context: Context, name: string): number | undefined {
  const text = context.req.query(name);
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const message = `${name} must be a whole number, not ${JSON.stringify(text)}`;
  throw new AlError(message, { code: "bad-request", blame: "user" });
}
