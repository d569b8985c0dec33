import { expect, test } from "vitest";
import { AlError } from "../../../src/base/errors.ts";
import { openBuilders } from "../../../src/cli/builders.ts";
import type { HostAddress } from "../../../src/core/desired.ts";
import { openLocal } from "../../../src/transport/local.ts";

const socketPath = "/nowhere/docker.sock";
const big: HostAddress = {
  ...{ host: "big", provider: "ssh", address: "192.0.2.7", port: 22, user: "root", labels: {} },
};

test("one connection is made to a builder, however many ask for it at once", async () => {
  let connections = 0;
  const builders = openBuilders({
    socketPath,
    async connect({ host }) {
      connections += 1;
      await new Promise((resolve) => setTimeout(resolve, 10));
      return openLocal({ host });
    },
  });
  const [one, two] = await Promise.all([builders.engine(big), builders.engine(big)]);
  expect(one).toBe(two);
  expect(await builders.engine(big)).toBe(one);
  expect(connections).toBe(1);
  builders.close();
});

test("this machine builds with its own engine, also as a host of the fleet", async () => {
  const connect = () => Promise.reject(new Error("no way there"));
  const builders = openBuilders({ socketPath, connect });
  const own = await builders.engine({ ...big, provider: "local" });
  expect(own).toBe(await builders.engine(undefined));
  expect(own.socketPath).toBe(socketPath);
  builders.close();
});

test("a builder that does not answer is an error of its own, not of the host that waits for it", async () => {
  const message = "cannot reach host big at 192.0.2.7:22: timeout";
  const hint = "Check that the machine is up.";
  const failing = (code: string) =>
    openBuilders({
      socketPath,
      connect: () => Promise.reject(new AlError(message, { code, blame: "transient", hint })),
    });
  await expect(failing("unreachable").engine(big)).rejects.toMatchObject({
    code: "builder-unreachable",
    blame: "transient",
    message: `no image can be built on host big, the builder: ${message}`,
    hint: "Check that the machine is up. To build elsewhere, set builder in [images] of config.toml; then: al apply",
  });
  await expect(failing("auth-failed").engine(big)).rejects.toMatchObject({ code: "auth-failed" });
});
