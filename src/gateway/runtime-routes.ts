import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { AlError } from "../base/errors.ts";
import type { ControlApiPorts } from "./control-api.ts";
import { answers, controlApp, jsonBody } from "./control-app.ts";
import {
  KillAnswer,
  ReloadAnswer,
  RulesAnswer,
  TriggerAnswer,
  TriggerRequest,
} from "./control-schema.ts";
import { knownRun } from "./known-run.ts";
import { manualTrigger } from "./manual-trigger.ts";
import { HoldRequest, PausedAnswer, ResumedAnswer, StoppingAnswer } from "./steering-schema.ts";

const trigger = createRoute({
  method: "post",
  path: "/control/trigger/{agent}",
  summary: "Starts a run by hand; with a context, as a webhook would",
  request: { params: z.object({ agent: z.string() }), body: jsonBody(TriggerRequest) },
  responses: answers(202, TriggerAnswer, {
    is: "The run was accepted.",
    also: [404, 409, 413, 415],
  }),
});

const kill = createRoute({
  method: "post",
  path: "/control/kill/{run}",
  summary: "Ends a run at once, or drops it from the queue",
  request: { params: z.object({ run: z.string() }) },
  responses: answers(200, KillAnswer, { is: "It has ended.", also: [404, 409] }),
});

const pause = createRoute({
  method: "post",
  path: "/control/pause",
  summary: "Nothing starts until it is resumed; webhooks and calls are accepted and wait",
  request: { body: jsonBody(HoldRequest) },
  responses: answers(200, PausedAnswer, {
    is: "Since when, by whom; the first one stays.",
    also: [413, 415],
  }),
});

const resume = createRoute({
  method: "post",
  path: "/control/resume",
  summary: "Ends a pause of the scheduler",
  responses: answers(200, ResumedAnswer, { is: "Whether it was paused." }),
});

const rules = createRoute({
  method: "post",
  path: "/control/rules",
  summary: "Puts the network's rules in place and proves them",
  responses: answers(200, RulesAnswer, { is: "Whether some were missing." }),
});

const reload = createRoute({
  method: "post",
  path: "/control/reload",
  summary: "Follows the live release at once",
  responses: answers(200, ReloadAnswer, { is: "It does." }),
});

const stop = createRoute({
  method: "post",
  path: "/control/stop",
  summary: "Stops the runtime until somebody starts it; runs that are under way go on",
  request: { body: jsonBody(HoldRequest) },
  responses: answers(202, StoppingAnswer, { is: "It stops.", also: [413, 415] }),
});

/** What is done to the runtime as a whole, and to single runs. */
export function runtimeRoutes({ schedule, runs, runtime }: ControlApiPorts) {
  return controlApp()
    .openapi(trigger, async (context) => {
      const { agent } = context.req.valid("param");
      const accepted = await schedule.trigger(agent, manualTrigger(context.req.valid("json")));
      return context.json({ runId: accepted.id }, 202);
    })
    .openapi(kill, async (context) => {
      const run = await knownRun(runs, context.req.valid("param").run);
      if (await schedule.kill(run.id)) return context.json({ killed: true as const }, 200);
      throw new AlError(`run ${run.id} is not running`, { code: "not-running", blame: "user" });
    })
    .openapi(pause, async (context) =>
      context.json({ paused: await schedule.pause(whoOf(context.req.valid("json"))) }, 200),
    )
    .openapi(resume, async (context) => context.json({ resumed: await schedule.resume({}) }, 200))
    .openapi(rules, async (context) =>
      context.json({ restored: await runtime.restoreRules() }, 200),
    )
    .openapi(reload, async (context) => {
      await schedule.reload();
      return context.json({ ok: true as const }, 200);
    })
    .openapi(stop, async (context) => {
      await runtime.stop(whoOf(context.req.valid("json")));
      return context.json({ stopping: true as const }, 202);
    });
}

/** Absent rather than undefined. */
export function whoOf({ by }: HoldRequest): { readonly by?: string } {
  return by === undefined ? {} : { by };
}
