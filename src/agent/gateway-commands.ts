import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { MAX_STATUS_CHARACTERS } from "../core/run.ts";
import type { Environment } from "./environment.ts";
import { askGateway, type GatewayAnswer, type GatewayPlace } from "./gateway-client.ts";
import { type CommandResult, resultOf, USAGE } from "./gateway-result.ts";
import { waitForCalls } from "./wait-for-calls.ts";

type Command = (gateway: GatewayPlace, args: readonly string[]) => Promise<CommandResult>;

const DEFAULT_PATIENCE_SECONDS = 60;
/** Whoever wants to be shut down should not go on for long. */
const SHUTDOWN_PATIENCE_MS = 5000;
const DEFAULT_WAIT_SECONDS = 900;
const SECONDS = /^\d+(\.\d+)?$/;

/** Carries out one of the commands by its name; GATEWAY_URL is set, or its command would not ask. */
export async function runGatewayCommand(
  env: Environment,
  name: string,
  args: readonly string[],
): Promise<CommandResult> {
  const command = COMMANDS[name];
  if (!command) return usage("command.js COMMAND [ARGUMENT...]");
  const patience = Number(env.get("AL_GATEWAY_PATIENCE_SECONDS") ?? DEFAULT_PATIENCE_SECONDS);
  const gateway = {
    url: env.get("GATEWAY_URL") ?? "",
    secret: env.get("SHUTDOWN_SECRET"),
    directory: env.get("AL_SIGNAL_DIR") ?? "/tmp/signals",
    patienceMs: (Number.isFinite(patience) ? patience : DEFAULT_PATIENCE_SECONDS) * 1000,
  };
  return command(gateway, args);
}

function usage(words: string): CommandResult {
  return { exitStatus: USAGE, answer: { ok: false, error: `usage: ${words}` } };
}

/** A command with one argument; `words` say how it is used. */
function withOne(
  words: string,
  send: (gateway: GatewayPlace, argument: string) => Promise<GatewayAnswer>,
): Command {
  return async (gateway, [argument, ...more]) => {
    if (!argument || more.length > 0) return usage(words);
    return resultOf(await send(gateway, argument));
  };
}

/** A command that takes whatever it is given. */
function withAny(
  send: (gateway: GatewayPlace, args: readonly string[]) => Promise<GatewayAnswer>,
): Command {
  return async (gateway, args) => resultOf(await send(gateway, args));
}

const COMMANDS: Readonly<Record<string, Command>> = {
  rlock: async (gateway, args) => {
    const wanted = lockArguments(args);
    if (!wanted) return usage("rlock KEY [--wait SECONDS]");
    const { resourceKey, ...waiting } = wanted;
    const request = { path: "/locks/acquire", body: { resourceKey }, ...waiting };
    return resultOf(await askGateway(gateway, request));
  },
  runlock: withOne("runlock KEY", async (gateway, resourceKey) => {
    const answer = await askGateway(gateway, { path: "/locks/release", body: { resourceKey } });
    const released = answer.status === 404 && answer.repeated;
    return released ? { ...answer, status: 200, body: { ok: true } } : answer;
  }),
  "rlock-heartbeat": withOne("rlock-heartbeat KEY", (gateway, resourceKey) =>
    askGateway(gateway, { path: "/locks/heartbeat", body: { resourceKey } }),
  ),
  "al-call": withOne("al-call AGENT < CONTEXT", async (gateway, targetAgent) => {
    const context = await text(process.stdin);
    const body = { targetAgent, context, requestId: crypto.randomUUID() };
    return askGateway(gateway, { path: "/calls", body });
  }),
  "al-check": withOne("al-check ID", (gateway, id) =>
    askGateway(gateway, { path: `/calls/${encodeURIComponent(id)}` }),
  ),
  "al-wait": async (gateway, args) => {
    const wanted = waitArguments(args);
    return wanted ? waitForCalls(gateway, wanted) : usage("al-wait ID... [--timeout SECONDS]");
  },
  "al-rerun": withAny((gateway) => askGateway(gateway, { path: "/signals/rerun", body: {} })),
  "al-status": withAny((gateway, args) => {
    const said = args.join(" ").slice(0, MAX_STATUS_CHARACTERS);
    return askGateway(gateway, { path: "/signals/status", body: { text: said } });
  }),
  "al-return": withAny(async (gateway) => {
    const value = await readFile(join(gateway.directory, "return"), "utf8");
    const body = { value: value.replace(/\n$/, "") };
    return askGateway(gateway, { path: "/signals/return", body });
  }),
  "al-shutdown": withAny((gateway, args) => {
    const body = { reason: args.join(" ") };
    return askGateway(gateway, { path: "/shutdown", body, atMostMs: SHUTDOWN_PATIENCE_MS });
  }),
};

/** A key may look like an option. */
function lockArguments(args: readonly string[]) {
  const [only, ...others] = args;
  if (only && others.length === 0 && !only.startsWith("--wait")) return { resourceKey: only };
  const parsed = parsedArguments(args, { wait: { type: "string" } });
  const [resourceKey, ...more] = parsed?.positionals ?? [];
  if (!parsed || !resourceKey || more.length > 0) return undefined;
  const { wait } = parsed.values;
  if (wait === undefined) return { resourceKey };
  return SECONDS.test(wait) ? { resourceKey, waitMs: Number(wait) * 1000 } : undefined;
}

function waitArguments(args: readonly string[]) {
  const parsed = parsedArguments(args, { timeout: { type: "string" } });
  const timeout = parsed?.values.timeout ?? String(DEFAULT_WAIT_SECONDS);
  if (!parsed || parsed.positionals.length === 0 || !SECONDS.test(timeout)) return undefined;
  return { ids: [...new Set(parsed.positionals)], timeoutMs: Number(timeout) * 1000 };
}

/** Undefined for options that there are not. */
function parsedArguments<O extends Readonly<Record<string, { readonly type: "string" }>>>(
  args: readonly string[],
  options: O,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch {
    return undefined;
  }
}
