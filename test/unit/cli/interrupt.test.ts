import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "al-interrupt-"));
const socket = join(directory, "docker.sock");
let engine: Server;

beforeAll(async () => {
  writeFileSync(join(directory, "fleet.toml"), '[project]\nname = "acme"\n');
  engine = createServer().listen(socket);
  await once(engine, "listening");
});
afterAll(() => {
  engine.close();
  rmSync(directory, { recursive: true });
});

test.each([["status"], ["locks"], ["pause"]])(
  "al %s ends at once when it is interrupted, and says so",
  async (command) => {
    const al = spawn(process.execPath, ["src/al.ts", command, "--dev", "-p", directory], {
      env: { HOME: directory, DOCKER_HOST: `unix://${socket}` },
    });
    const said = Promise.all([text(al.stdout), text(al.stderr)]);
    const [connection] = await once(engine, "connection");
    al.kill("SIGINT");
    const [code] = await once(al, "exit");
    connection.destroy();
    expect([code, ...(await said)]).toEqual([
      1,
      "",
      "error: interrupted by SIGINT\n  The same command goes on where this one stopped.\n",
    ]);
  },
);
