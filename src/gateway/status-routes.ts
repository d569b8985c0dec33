import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import type { ControlApiPorts } from "./control-api.ts";
import { answers, controlApp, count } from "./control-app.ts";
import { RunAnswer, RunsAnswer, runAnswer, StatusAnswer } from "./control-schema.ts";
import { knownRun } from "./known-run.ts";
import { LocksAnswer, QueueAnswer } from "./steering-schema.ts";

const RECENT_RUNS = 20;
const MAX_RUNS = 1000;

const agent = z.string().optional();

const status = createRoute({
  method: "get",
  path: "/control/status",
  summary: "The runtime, its agents and its latest runs",
  request: { query: z.object({ rules: z.string().optional() }) },
  responses: answers(200, StatusAnswer, {
    is: "How it stands. `?rules=look` looks at the network's rules.",
  }),
});

const runs = createRoute({
  method: "get",
  path: "/control/runs",
  summary: "Runs, the newest first",
  request: { query: z.object({ limit: count.optional(), agent }) },
  responses: answers(200, RunsAnswer, {
    is: `At most \`limit\`: ${RECENT_RUNS} unless told, ${MAX_RUNS} at most.`,
  }),
});

const run = createRoute({
  method: "get",
  path: "/control/runs/{run}",
  summary: "All that is recorded of one run",
  request: { params: z.object({ run: z.string() }) },
  responses: answers(200, RunAnswer, { is: "The run.", also: [404] }),
});

const instances = createRoute({
  method: "get",
  path: "/control/instances",
  summary: "Runs that are starting or running, the oldest first",
  responses: answers(200, RunsAnswer, { is: "The runs." }),
});

const queue = createRoute({
  method: "get",
  path: "/control/queue",
  summary: "What waits, and for what",
  request: { query: z.object({ agent }) },
  responses: answers(200, QueueAnswer, { is: "Queued runs, the oldest first." }),
});

const locks = createRoute({
  method: "get",
  path: "/control/locks",
  summary: "Locks that runs hold",
  responses: answers(200, LocksAnswer, { is: "The locks, sorted by key." }),
});

/** What can be asked without changing anything. */
export function statusRoutes(ports: ControlApiPorts) {
  const { schedule } = ports;
  return controlApp()
    .openapi(status, async (context) => {
      const { rules } = context.req.valid("query");
      const [report, agents, paused, recent] = await Promise.all([
        ports.runtime.report({ rules: rules === "look" }),
        schedule.agents(),
        schedule.paused(),
        ports.runs.list({ limit: RECENT_RUNS }),
      ]);
      const held = paused === undefined ? {} : { paused };
      const latest = recent.map(runAnswer);
      return context.json(StatusAnswer.parse({ report, ...held, agents, runs: latest }), 200);
    })
    .openapi(runs, async (context) => {
      const { limit = RECENT_RUNS, agent: of } = context.req.valid("query");
      const filter = { limit: Math.min(limit, MAX_RUNS), ...(of !== undefined && { agent: of }) };
      return context.json({ runs: (await ports.runs.list(filter)).map(runAnswer) }, 200);
    })
    .openapi(run, async (context) =>
      context.json(runAnswer(await knownRun(ports.runs, context.req.valid("param").run)), 200),
    )
    .openapi(instances, async (context) => {
      return context.json({ runs: (await ports.runs.active()).map(runAnswer) }, 200);
    })
    .openapi(queue, async (context) => {
      const { agent: of } = context.req.valid("query");
      const waiting = await schedule.queue();
      const wanted = waiting.filter(({ run: { agent: its } }) => of === undefined || its === of);
      const shown = wanted.map(({ run: one, waitsFor }) => ({ run: runAnswer(one), waitsFor }));
      return context.json({ queue: shown }, 200);
    })
    .openapi(locks, async (context) => {
      return context.json(LocksAnswer.parse({ locks: await ports.locks.list() }), 200);
    });
}
