import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import type { ControlApiPorts } from "./control-api.ts";
import { answers, controlApp, jsonBody } from "./control-app.ts";
import { whoOf } from "./runtime-routes.ts";
import {
  AgentDisabledAnswer,
  AgentEnabledAnswer,
  AgentKillAnswer,
  AgentKillRequest,
  AgentPausedAnswer,
  AgentResumedAnswer,
  HoldRequest,
} from "./steering-schema.ts";

const params = z.object({ agent: z.string() });

const pause = createRoute({
  method: "post",
  path: "/control/agents/{agent}/pause",
  summary: "Nothing of the agent starts until it is resumed; webhooks and calls wait",
  request: { params, body: jsonBody(HoldRequest) },
  responses: answers(200, AgentPausedAnswer, {
    is: "Since when, by whom; the first one stays.",
    also: [404, 413, 415],
  }),
});

const resume = createRoute({
  method: "post",
  path: "/control/agents/{agent}/resume",
  summary: "Ends a pause of the agent",
  request: { params },
  responses: answers(200, AgentResumedAnswer, { is: "Whether it was paused.", also: [404] }),
});

const disable = createRoute({
  method: "post",
  path: "/control/agents/{agent}/disable",
  summary: "No trigger of the agent is accepted until it is enabled",
  request: { params, body: jsonBody(HoldRequest) },
  responses: answers(200, AgentDisabledAnswer, {
    is: "Since when, by whom; the first one stays.",
    also: [404, 413, 415],
  }),
});

const enable = createRoute({
  method: "post",
  path: "/control/agents/{agent}/enable",
  summary: "Triggers of the agent are accepted again",
  request: { params },
  responses: answers(200, AgentEnabledAnswer, { is: "Whether it was disabled.", also: [404] }),
});

const kill = createRoute({
  method: "post",
  path: "/control/agents/{agent}/kill",
  summary: "Ends all runs of the agent; with `queued` also drops what waits",
  request: { params, body: jsonBody(AgentKillRequest) },
  responses: answers(200, AgentKillAnswer, {
    is: "Ids of the runs, by what became of them.",
    also: [404, 413, 415],
  }),
});

/** What is done to one agent. */
export function agentRoutes({ schedule }: ControlApiPorts) {
  return controlApp()
    .openapi(pause, async (context) => {
      const { agent } = context.req.valid("param");
      const paused = await schedule.pause({ agent, ...whoOf(context.req.valid("json")) });
      return context.json({ agent, paused }, 200);
    })
    .openapi(resume, async (context) => {
      const { agent } = context.req.valid("param");
      return context.json({ agent, resumed: await schedule.resume({ agent }) }, 200);
    })
    .openapi(disable, async (context) => {
      const { agent } = context.req.valid("param");
      const disabled = await schedule.disable({ agent, ...whoOf(context.req.valid("json")) });
      return context.json({ agent, disabled }, 200);
    })
    .openapi(enable, async (context) => {
      const { agent } = context.req.valid("param");
      return context.json({ agent, enabled: await schedule.enable({ agent }) }, 200);
    })
    .openapi(kill, async (context) => {
      const { agent } = context.req.valid("param");
      const { queued = false, by } = context.req.valid("json");
      const why = by === undefined ? {} : { why: `killed by ${by}` };
      const found = await schedule.killAgent(agent, { queued, ...why });
      return context.json(AgentKillAnswer.parse({ agent, ...found }), 200);
    });
}
