import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { SetupOptions } from "./cache.ts";
import { mustRun, runCommand } from "./command.ts";
import { ensurePrograms } from "./debian.ts";
import { checkoutId } from "./names.ts";

/** A program on a machine outside: what the containers of this machine's engine reach by routing. */
export interface Outside {
  /** The first line that it printed. */
  readonly firstLine: string;
  stop(): Promise<void>;
}

/** The address at which programs started by {@link startOutside} can be reached. */
export const outsideAddress = `10.214.${Number.parseInt(checkoutId.slice(0, 2), 16)}.2`;

/**
 * Starts a program in a network namespace of its own. It is neither this machine, which containers must
 * not reach, nor on a Docker network, which is cut off from others: to them it is the internet.
 */
export async function startOutside(
  argv: readonly string[],
  options: SetupOptions,
): Promise<Outside> {
  await ensurePrograms({ ip: "iproute2" }, options);
  const { space, link } = names();
  await removeLeftover();
  const gateway = outsideAddress.replace(/2$/, "1");
  await mustRun(["ip", "netns", "add", space]);
  await mustRun([
    "ip",
    "link",
    "add",
    link,
    "type",
    "veth",
    "peer",
    "name",
    "eth0",
    "netns",
    space,
  ]);
  await mustRun(["ip", "address", "add", `${gateway}/30`, "dev", link]);
  await mustRun(["ip", "link", "set", link, "up"]);
  const inside = ["ip", "-n", space] as const;
  await mustRun([...inside, "address", "add", `${outsideAddress}/30`, "dev", "eth0"]);
  await mustRun([...inside, "link", "set", "eth0", "up"]);
  await mustRun([...inside, "route", "add", "default", "via", gateway]);
  // It ends with its standard input, so also when this process is killed.
  const script = '"$@" & pid=$!; cat >/dev/null; kill "$pid"; wait';
  const child = spawn("ip", ["netns", "exec", space, "sh", "-c", script, "outside", ...argv], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [firstLine] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return {
    firstLine,
    async stop() {
      child.stdin.end();
      await once(child, "close");
      await removeLeftover();
    },
  };
}

async function removeLeftover(): Promise<void> {
  const { space, link } = names();
  await runCommand(["ip", "netns", "delete", space]);
  await runCommand(["ip", "link", "delete", link]);
}

function names() {
  return { space: `al-lab-${checkoutId}`, link: `al-out-${checkoutId}` };
}
