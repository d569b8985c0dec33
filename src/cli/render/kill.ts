import type { AgentKillAnswer } from "../../gateway/steering-schema.ts";

/** What became of an agent's runs on one host, a line each. */
export function killLines(host: string, answer: AgentKillAnswer): string[] {
  const { agent, killed, cancelled, failed } = answer;
  const lines = [
    ...killed.map((run) => `${host}: killed run ${run} of ${agent}`),
    ...cancelled.map((run) => `${host}: dropped run ${run} of ${agent} from the queue`),
    ...failed.map((run) => `${host}: run ${run} of ${agent} could not be killed`),
  ];
  return lines.length > 0 ? lines : [`${host}: no run of ${agent} is active`];
}
