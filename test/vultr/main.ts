import { parseArgs } from "node:util";
import { startVultrServer } from "./server.ts";

const { values } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    key: { type: "string" },
  },
});
const server = await startVultrServer({
  host: values.host,
  port: Number(values.port),
  ...(values.key === undefined ? {} : { key: values.key }),
});
process.stdout.write(`${JSON.stringify({ url: server.baseUrl })}\n`);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    server.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
