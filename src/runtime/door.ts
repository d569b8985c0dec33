import { DOOR_MOUNT, OUTSIDE_PORT, OUTSIDE_SOCKET } from "../core/names.ts";
import { endWithMount } from "./mount-watch.ts";
import { openDoor } from "./open-door.ts";

// The door's program: it holds the published port while runtimes come and go. It imports next to nothing,
// because every change of its bundle is another door, and doors cannot change without a gap.

endWithMount(DOOR_MOUNT);
const socketPath = `${DOOR_MOUNT}/${OUTSIDE_SOCKET}`;
const door = await openDoor({ place: { port: OUTSIDE_PORT, host: "0.0.0.0" }, socketPath });
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => void door.close().then(() => process.exit(0)));
}
