import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync, writeFileSync } from "node:fs";
import { INGRESS_DOOR, INGRESS_MOUNT, OUTSIDE_SOCKET } from "../core/names.ts";
import { endWithMount } from "./mount-watch.ts";
import { openDoor } from "./open-door.ts";

// The ingress's program: Caddy, which ends TLS and passes on what is public, and a door behind it, which holds
// senders while runtimes come and go. Like the door's it imports next to nothing. Its arguments are Caddy's
// configuration and, where the certificate is given, its file, which the runtime puts there and replaces.

const CONFIG = "/tmp/caddy.json";
const LOOK_MS = 1000;

const [config = "", certificate] = process.argv.slice(2);
let caddy: ChildProcess | undefined;
let served: string | undefined;
let isEnding = false;
let isReplacing = false;
let isWaiting = false;

endWithMount(INGRESS_MOUNT);
const socketPath = `${INGRESS_MOUNT}/${OUTSIDE_SOCKET}`;
const door = await openDoor({ place: { path: INGRESS_DOOR }, socketPath });
writeFileSync(CONFIG, config);
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => {
    isEnding = true;
    if (caddy) caddy.kill(name);
    else process.exit(0);
  });
}
await follow();
if (certificate !== undefined) setInterval(() => void follow(), LOOK_MS);

/** Runs Caddy with the certificate that is there now. It reads that only when it starts. */
async function follow(): Promise<void> {
  const found = certificate === undefined ? "none" : identity(certificate);
  if (found === undefined && served === undefined) sayWaiting();
  if (found === undefined || found === served || isEnding || isReplacing) return;
  served = found;
  isReplacing = true;
  if (caddy) await ended(caddy);
  isReplacing = false;
  if (isEnding) process.exit(0);
  caddy = spawn("caddy", ["run", "--config", CONFIG], { stdio: "inherit" });
  caddy.on("error", () => process.exit(1));
  caddy.on("exit", (code) => void door.close().then(() => process.exit(code ?? 1)));
}

/** For whoever reads this container's log; said once. */
function sayWaiting(): void {
  if (!isWaiting) process.stderr.write("No certificate is there to serve with: waiting for one.\n");
  isWaiting = true;
}

async function ended(former: ChildProcess): Promise<void> {
  former.removeAllListeners("exit");
  const exited = once(former, "exit");
  former.kill("SIGTERM");
  await exited;
}

function identity(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.ino} ${found.mtimeMs} ${found.size}`;
}
