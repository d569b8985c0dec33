import { connect } from "node:net";
import { CONTROL_SOCKET } from "../core/names.ts";

// Joins this program's standard streams to the control socket, for `docker exec -i`. It imports next
// to nothing, because whoever asks waits for it to start. The end of either direction is passed on
// alone; the program ends when both have ended.

const socket = connect({ path: CONTROL_SOCKET, allowHalfOpen: true });

socket.on("error", (error) => {
  process.stderr.write(`control socket: ${error.message}\n`, () => process.exit(1));
});
socket.on("close", () => process.exit(process.exitCode ?? 0));
process.stdout.on("error", () => socket.destroy());
process.stdin.on("error", () => socket.destroy());

process.stdin.pipe(socket);
socket.pipe(process.stdout, { end: true });
