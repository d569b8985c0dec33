import { expect, test } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import { decodeTrace } from "../../../src/docker/build-trace.ts";
import { commonApiVersion } from "../../../src/docker/docker-connection.ts";
import { diagnoseSocket, engineError } from "../../../src/docker/docker-errors.ts";
import type { Transport } from "../../../src/transport/transport.ts";

test.each([
  [404, "No such container: x", "docker-not-found", "transient"],
  [409, "name in use", "docker-conflict", "transient"],
  [500, "something broke", "docker-failed", "transient"],
  [400, "bad parameter", "docker-refused", "terminal"],
  [500, "write /x: no space left on device", "disk-full", "user"],
])("an answer with status %i and %j is %s", (statusCode, said, code, blame) => {
  const thrown = Object.assign(new Error(`(HTTP code ${statusCode}) unexpected - ${said} `), {
    statusCode,
  });
  const error = engineError("web", "start x", thrown);
  expect(error).toMatchObject({ code, blame, message: `web: cannot start x: ${said}` });
});

test("a connection that breaks is the engine being down; what was classified before stays", () => {
  const reset = Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
  expect(engineError("web", "start x", reset)).toMatchObject({ code: "docker-down" });
  const lost = new AlError("lost", { code: "connection-lost", blame: "transient" });
  expect(engineError("web", "start x", lost)).toBe(lost);
});

test.each([
  ["missing", "docker-missing", "user"],
  ["/usr/bin/dockerd\ndown", "docker-down", "transient"],
  ["permission", "docker-permission", "user"],
])("a socket that the host calls %j is %s", async (said, code, blame) => {
  const transport = {
    host: "web",
    exec: async () => ({ stdout: Buffer.from(`${said}\n`) }),
  } as unknown as Transport;
  const cause = new AlError("no", { code: "socket-unavailable", blame: "transient" });
  const error = await diagnoseSocket(transport, "/var/run/docker.sock", cause);
  expect(error).toMatchObject({ code, blame });
  expect(error.message).toContain("web");
  expect(error.hint).toContain("web");
});

test("what the transport classified is not asked about again", async () => {
  const cause = new AlError("gone", { code: "connection-lost", blame: "transient" });
  expect(await diagnoseSocket({ host: "web" } as Transport, "/s", cause)).toBe(cause);
});

test.each([
  ["1.41", "1.12", "1.41"],
  ["1.51", "1.24", "1.51"],
  ["1.54", "1.44", "1.51"],
  ["1.40", "1.12", undefined],
  ["1.70", "1.60", undefined],
])("with an engine that speaks %s down to %s we speak %s", (newest, oldest, common) => {
  expect(commonApiVersion(newest, oldest)).toBe(common);
});

test("BuildKit's messages give steps with their errors, and output", () => {
  const vertex = [
    ...field(1, "sha256:1"),
    ...field(3, "[2/2] RUN false"),
    ...field(5, "\u0008\u0001"),
    ...field(7, "exit code: 1"),
  ];
  const log = [...field(1, "sha256:1"), 0x18, 0x02, ...field(4, "boo\n")];
  const message = Buffer.from([...bytesField(1, vertex), ...bytesField(3, log)]);
  expect(decodeTrace(message.toString("base64"))).toEqual({
    steps: [
      {
        id: "sha256:1",
        name: "[2/2] RUN false",
        started: true,
        cached: false,
        error: "exit code: 1",
      },
    ],
    output: ["boo\n"],
  });
});

function field(number: number, text: string): number[] {
  return bytesField(number, [...Buffer.from(text)]);
}

function bytesField(number: number, bytes: readonly number[]): number[] {
  const length =
    bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
  return [number * 8 + 2, ...length, ...bytes];
}
