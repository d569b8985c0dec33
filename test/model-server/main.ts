import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { ModelScript } from "./script.ts";
import { startModelServer } from "./server.ts";

const { values } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    script: { type: "string" },
    key: { type: "string" },
  },
});
if (values.script === undefined) {
  process.stderr.write("usage: main.ts --script FILE [--host H] [--port P] [--key EXPECTED]\n");
  process.exit(9);
}
const script = JSON.parse(await readFile(values.script, "utf8")) as ModelScript;
const server = await startModelServer({
  host: values.host,
  port: Number(values.port),
  script,
  ...(values.key === undefined ? {} : { expectedKey: values.key }),
});
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    server.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
