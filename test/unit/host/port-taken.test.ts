import { expect, test } from "vitest";
import { portTaken } from "../../../src/host/port-taken.ts";

const DRIVER = "driver failed programming external connectivity on endpoint al-acme-x (1f2e): ";

test.each([
  [`${DRIVER}Bind for 127.0.0.1:8080 failed: port is already allocated`, "127.0.0.1:8080"],
  [
    `${DRIVER}Error starting userland proxy: listen tcp4 127.0.0.1:8080: bind: address already in use`,
    "127.0.0.1:8080",
  ],
])("a door whose port is taken is told to take another: %s", (message, where) => {
  const error = portTaken(new Error(message));
  expect(error?.message).toContain(`${where} of the host is taken`);
  expect(error?.hint).toContain("set `port` in [gateway]");
});

test.each([
  [`${DRIVER}Bind for 0.0.0.0:80 failed: port is already allocated`, "port 80"],
  [
    `${DRIVER}Error starting userland proxy: listen tcp4 0.0.0.0:443: bind: address already in use`,
    "port 443",
  ],
  [`${DRIVER}Bind for :::443 failed: port is already allocated`, "port 443"],
  [
    `${DRIVER}Error starting userland proxy: listen tcp6 [::]:80: bind: address already in use`,
    "port 80",
  ],
  ["failed to bind host port for 0.0.0.0:80: address already in use", "port 80"],
])("an ingress whose port is taken is told what is public: %s", (message, where) => {
  const error = portTaken(new Error(message));
  expect(error?.message).toContain(`${where} of the host is taken`);
  expect(error?.hint).toContain("take `public` out of [gateway]");
});

test("other failures stay what they are", () => {
  expect(portTaken(new Error("no such image: al-acme/door:1"))).toBeUndefined();
});
