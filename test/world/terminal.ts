import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { quoteArgv } from "../../src/transport/quote.ts";
import { checkoutRoot } from "../lab/names.ts";
import { type AlOptions, alEnvironment } from "./al.ts";

/** What a person does at a question. */
export interface Answer {
  /** Waits until the screen shows this, after the previous answer. */
  readonly to: string;
  /** Then types this. */
  readonly type: string;
}

/** Runs `al` on a terminal of its own (by `script`, of util-linux) and answers its questions. */
export async function alOnTerminal(
  args: readonly string[],
  answers: readonly Answer[],
  options: AlOptions,
): Promise<{ readonly code: number | null; readonly screen: string }> {
  const al = quoteArgv([process.execPath, join(checkoutRoot, "dist/al.js"), ...args]);
  // A terminal made for a pipe has no size, and a question would be wrapped after every letter.
  const command = `stty cols 200 rows 40; exec ${al}`;
  const env = { ...alEnvironment(options), TERM: "xterm" };
  const child = spawn("script", ["-qfec", command, "/dev/null"], { env });
  let screen = "";
  let seen = 0;
  const waiting = [...answers];
  child.stdout.on("data", (bytes: Buffer) => {
    screen += bytes.toString("utf8");
    const [next] = waiting;
    const at = next ? screen.indexOf(next.to, seen) : -1;
    if (!next || at < 0) return;
    seen = at + next.to.length;
    waiting.shift();
    child.stdin.write(next.type);
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (waiting.length > 0) throw new Error(`never asked: ${waiting[0]?.to}\n${screen}`);
  return { code, screen };
}
