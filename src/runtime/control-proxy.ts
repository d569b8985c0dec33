import { connect } from "node:net";
import { CONTROL_SOCKET } from "../core/names.ts";

// Joins this program's standard streams to the control socket, for `docker exec -i`. It imports next
// to nothing, because whoever asks waits for it to start. The end of the input is passed on, and the
// answer still comes; when the socket ends, so does the program, since only that ends its output.

const socket = connect({ path: CONTROL_SOCKET, allowHalfOpen: true });

socket.on("error", (error) => {
  process.stderr.write(`control socket: ${error.message}\n`, () => process.exit(1));
});
socket.on("end", () => process.exit(0));
process.stdout.on("error", () => process.exit(1));
process.stdin.on("error", () => process.exit(1));

process.stdin.pipe(socket);
socket.pipe(process.stdout);
