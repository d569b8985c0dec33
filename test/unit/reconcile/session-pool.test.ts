import { expect, test } from "vitest";
import { poolSessions } from "../../../src/reconcile/session-pool.ts";
import { addressOf, hostSpec } from "../../memory-host/specs.ts";
import { createWorld } from "../../memory-host/world.ts";

const spec = hostSpec({ revision: "r1", agents: { dev: { actions: "Fix issues." } } });

function pooledWorld() {
  const world = createWorld();
  let connects = 0;
  let dead = 0;
  const pool = poolSessions({
    readHostKey: world.deps.hosts.readHostKey,
    async connect(address, options) {
      const number = ++connects;
      const session = await world.deps.hosts.connect(address, options);
      return { ...session, isAlive: () => number > dead };
    },
  });
  const { machine } = world;
  const connect = () => pool.connect(addressOf(), { fingerprint: machine.hostKey });
  /** Ends every connection so far from the other side. */
  const endIdle = () => {
    dead = connects;
  };
  return {
    ...world,
    pool,
    connect,
    deps: { ...world.deps, hosts: pool },
    count: () => connects,
    endIdle,
  };
}

test("passes share one connection", async () => {
  const { pass, deps, count, machine, pool } = pooledWorld();
  await pass(spec, { deps });
  await pass(spec, { deps });
  expect(count()).toBe(1);
  expect(machine.connections).toBe(1);
  await pool.closeAll();
  expect(machine.connections).toBe(0);
});

test("a connection on which something failed is not used again", async () => {
  const { pass, deps, count, machine, faults } = pooledWorld();
  faults.arm([{ at: 3, kind: "before" }]);
  expect(await pass(spec, { deps })).toMatchObject({ kind: "failed" });
  expect(machine.connections).toBe(0);
  faults.arm();
  expect(await pass(spec, { deps })).toMatchObject({ kind: "applied" });
  expect(count()).toBe(2);
});

test("a connection that ended while nobody used it is replaced before it is used", async () => {
  const { pass, deps, count, endIdle } = pooledWorld();
  await pass(spec, { deps });
  endIdle();
  expect(await pass(spec, { deps })).toMatchObject({ kind: "in-sync" });
  expect(count()).toBe(2);
});

test("a connection to another address or under another key is not used for a host", async () => {
  const { pool, machine, connect } = pooledWorld();
  await (await connect()).close();
  const moved = { ...addressOf(), address: "192.0.2.2" };
  const session = await pool.connect(moved, { fingerprint: machine.hostKey });
  expect(machine.connections).toBe(1);
  await session.close();
  machine.hostKey = "SHA256:another";
  await expect(pool.connect(moved, { fingerprint: "SHA256:other" })).rejects.toThrow(/another key/);
  expect(machine.connections).toBe(0);
});

test("a failure to reach a host leaves nothing behind", async () => {
  const { pool, machine, connect } = pooledWorld();
  machine.unreachable = true;
  await expect(connect()).rejects.toThrow(/cannot be reached/);
  machine.unreachable = false;
  await (await connect()).close();
  await pool.closeAll();
  expect(machine.connections).toBe(0);
});

test("of two connections to a host that are given back, one is kept and the other is closed", async () => {
  const { pool, machine, connect } = pooledWorld();
  const [first, second] = [await connect(), await connect()];
  expect(machine.connections).toBe(2);
  await first.close();
  await second.close();
  expect(machine.connections).toBe(1);
  await pool.closeAll();
  expect(machine.connections).toBe(0);
});

test("a connection in use while all are closed ends with its pass", async () => {
  const { pool, machine, connect } = pooledWorld();
  const session = await connect();
  await pool.closeAll();
  await session.close();
  expect(machine.connections).toBe(0);
});
