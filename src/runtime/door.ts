import { statSync } from "node:fs";
import { DOOR_MOUNT, OUTSIDE_PORT, OUTSIDE_SOCKET } from "../core/names.ts";
import { openDoor } from "./open-door.ts";

// The door's program: it holds the published port while runtimes come and go. It imports next to nothing,
// because every change of its bundle is another door, and doors cannot change without a gap.

const LOOK_MS = 5000;

// A directory that was removed and made anew is another one, and only a new start mounts that. Until then
// senders are told 503, which is better than nobody at the port.
let looksWithout = 0;
setInterval(() => {
  looksWithout = statSync(DOOR_MOUNT).nlink === 0 ? looksWithout + 1 : 0;
  if (looksWithout === 2) process.exit(1);
}, LOOK_MS);

const door = await openDoor({ port: OUTSIDE_PORT, socketPath: `${DOOR_MOUNT}/${OUTSIDE_SOCKET}` });
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => void door.close().then(() => process.exit(0)));
}
