import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { INGRESS_DOOR, INGRESS_MOUNT, OUTSIDE_SOCKET } from "../core/names.ts";
import { endWithMount } from "./mount-watch.ts";
import { openDoor } from "./open-door.ts";

// The ingress's program: Caddy, which ends TLS and passes on what is public, and a door behind it, which holds
// senders while runtimes come and go. Like the door's it imports next to nothing. Its argument is Caddy's
// configuration.

const CONFIG = "/tmp/caddy.json";

endWithMount(INGRESS_MOUNT);
const socketPath = `${INGRESS_MOUNT}/${OUTSIDE_SOCKET}`;
const door = await openDoor({ place: { path: INGRESS_DOOR }, socketPath });
writeFileSync(CONFIG, process.argv[2] ?? "");
const caddy = spawn("caddy", ["run", "--config", CONFIG], { stdio: "inherit" });
caddy.on("error", () => process.exit(1));
caddy.on("exit", (code) => void door.close().then(() => process.exit(code ?? 1)));
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => void caddy.kill(name));
}
