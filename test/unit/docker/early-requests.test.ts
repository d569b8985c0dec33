import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type DockerClient, openDocker } from "../../../src/docker/docker-client.ts";
import { openLocal } from "../../../src/transport/local.ts";

let directory: string;
let server: Server;
let docker: DockerClient;
let asked: string[];
let newest: string;
/** The answer to `/version` waits for this. */
let gate: Promise<void>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-early-"));
  asked = [];
  gate = Promise.resolve();
  server = createServer(async ({ url = "", method }, answer) => {
    asked.push(`${method} ${url.split("?")[0]}`);
    if (url === "/version") await gate;
    const version = { Version: "x", ApiVersion: newest, MinAPIVersion: "1.24", Arch: "amd64" };
    answer.setHeader("content-type", "application/json");
    answer.end(JSON.stringify(url === "/version" ? version : []));
  });
  const socketPath = join(directory, "docker.sock");
  server.listen(socketPath);
  await once(server, "listening");
  docker = openDocker(openLocal({ host: "one" }), { socketPath });
});

afterEach(async () => {
  docker.close();
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true, force: true });
});

test("what is read first is asked for while the version is negotiated", async () => {
  newest = "1.41";
  let open = () => {};
  gate = new Promise((resolve) => {
    open = resolve;
  });
  const listing = docker.listContainers({});
  while (asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  open();
  expect(await listing).toEqual([]);
  expect(asked.toSorted()).toEqual(["GET /containers/json", "GET /version"]);
  await docker.listContainers({});
  expect(asked.at(-1)).toBe("GET /v1.41/containers/json");
});

test("an engine newer than what we know is asked again, in our version", async () => {
  newest = "1.99";
  expect(await docker.listContainers({})).toEqual([]);
  expect(asked.at(-1)).toBe("GET /v1.51/containers/json");
});

test("nothing is changed before the version is known", async () => {
  newest = "1.51";
  await docker.removeContainer("x");
  expect(asked[0]).toBe("GET /version");
  expect(asked[1]).toBe("DELETE /v1.51/containers/x");
});
