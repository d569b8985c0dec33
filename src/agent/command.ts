import { processEnvironment } from "./environment.ts";
import { runGatewayCommand } from "./gateway-commands.ts";

// What the commands of docker/bin do with the gateway: JSON on standard output, and an exit status that
// says what the gateway said. It imports next to nothing, because whoever calls waits for its start.

const [name = "", ...args] = process.argv.slice(2);
const { exitStatus, answer } = await runGatewayCommand(processEnvironment, name, args);
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(exitStatus));
