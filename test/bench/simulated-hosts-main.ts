import { join } from "node:path";
import { argv, exit, stdin, stdout } from "node:process";
import { type SimulatedHost, startSimulatedHost } from "./simulated-host.ts";

// Arguments: how many, a directory, the project, layers that are there already. Ends with its input.
const [count = "1", directory = "", project = "", ...presentLayers] = argv.slice(2);

const hosts: SimulatedHost[] = [];
for (let number = 1; number <= Number(count); number++) {
  const home = join(directory, `host-${number}`);
  hosts.push(await startSimulatedHost({ home, project, presentLayers }));
}
stdout.write(`${JSON.stringify(hosts.map(({ port, hostKey }) => ({ port, hostKey })))}\n`);
stdin.resume();
stdin.once("end", () => {
  for (const host of hosts) host.close();
  // Connections whose other side is gone would keep it.
  exit(0);
});
