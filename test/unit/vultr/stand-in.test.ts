import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { LeapingClock } from "../../vultr/leaping-clock.ts";
import { type StandInOptions, VultrStandIn } from "../../vultr/stand-in.ts";

function standInWith(options: StandInOptions = {}) {
  const clock = new LeapingClock();
  const standIn = new VultrStandIn({ clock, ...options });
  const call = async (method: string, path: string, body?: object, key = standIn.key) => {
    const answer = await standIn.handle(
      new Request(`http://vultr.test/v2${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    if (typeof answer === "string") return { status: 0, body: answer };
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  return { clock, standIn, call };
}

const ORDER = { region: "ams", plan: "vc2-1c-1gb", os_id: 2625 };

test("lists come in pages with opaque cursors, the last of which is empty", async () => {
  const { call } = standInWith();
  const first = (await call("GET", "/plans?per_page=3")).body;
  expect(first.plans).toHaveLength(3);
  expect(first.meta).toMatchObject({ total: 5, links: { prev: "" } });
  const second = (await call("GET", `/plans?per_page=3&cursor=${first.meta.links.next}`)).body;
  expect(second.plans).toHaveLength(2);
  expect(second.meta.links.next).toBe("");
});

test("the catalogue needs no key, and everything else does", async () => {
  const { call } = standInWith();
  for (const path of ["/plans", "/regions", "/os", "/regions/ams/availability"]) {
    expect((await call("GET", path, undefined, "wrong")).status).toBe(200);
  }
  for (const path of ["/account", "/instances", "/ssh-keys", "/firewalls"]) {
    expect(await call("GET", path, undefined, "wrong")).toEqual({
      status: 401,
      body: { status: 401, error: "Invalid API token." },
    });
  }
});

test("an instance is pending without an address, then active, then booted, then gone", async () => {
  const { call, clock } = standInWith();
  const made = await call("POST", "/instances", { ...ORDER, enable_ipv6: true });
  expect(made.status).toBe(202);
  const { id } = made.body.instance;
  const look = async () => (await call("GET", `/instances/${id}`)).body.instance;
  const states: object[] = [];
  for (const ms of [0, 20_000, 30_000]) {
    await clock.sleep(ms);
    const { status, server_status, main_ip } = await look();
    states.push({ status, server_status, main_ip });
  }
  expect(states).toEqual([
    { status: "pending", server_status: "none", main_ip: "0.0.0.0" },
    { status: "active", server_status: "installingbooting", main_ip: "192.0.2.1" },
    { status: "active", server_status: "ok", main_ip: "192.0.2.1" },
  ]);
  expect((await call("DELETE", `/instances/${id}`)).status).toBe(204);
  expect((await call("DELETE", `/instances/${id}`)).status).toBe(404);
  expect((await call("GET", `/instances/${id}`)).status).toBe(404);
});

test("a password is shown for some minutes, and a console's address from the start of the boot", async () => {
  const { call, clock } = standInWith();
  const { id, default_password, kvm } = (await call("POST", "/instances", ORDER)).body.instance;
  expect({ default_password, kvm }).toEqual({ default_password: expect.any(String), kvm: "" });
  const look = async () => (await call("GET", `/instances/${id}`)).body.instance;
  await clock.sleep(60_000);
  expect(await look()).toMatchObject({ default_password, kvm: expect.stringContaining("https") });
  await clock.sleep(600_000);
  expect(await look()).not.toHaveProperty("default_password");
});

test("a body that is not said to be JSON is 400", async () => {
  const { standIn } = standInWith();
  const headers = { authorization: `Bearer ${standIn.key}` };
  const body = JSON.stringify({ description: "a" });
  const request = new Request("http://vultr.test/v2/firewalls", { method: "POST", headers, body });
  expect(await standIn.handle(request)).toMatchObject({ status: 400 });
});

test("an order that cannot be met is 400, and makes nothing", async () => {
  const { call, standIn } = standInWith();
  standIn.account.switches.soldOut.add("fra vc2-1c-1gb");
  const bad = [{ plan: "none" }, { region: "fra" }, { os_id: 1 }, { user_data: "not base64!" }];
  for (const change of [...bad, { region: "ewr", plan: "vc2-2c-4gb" }]) {
    expect((await call("POST", "/instances", { ...ORDER, ...change })).status).toBe(400);
  }
  standIn.account.switches.maxInstances = 0;
  expect((await call("POST", "/instances", ORDER)).status).toBe(400);
  expect(standIn.account.everMade).toEqual([]);
});

test("a machine is booted with exactly the user data, and destroyed with its instance", async () => {
  const booted: string[] = [];
  const { call } = standInWith({
    machines: {
      boot: async ({ userData, hostname }) => {
        booted.push(`${hostname} ${userData}`);
        return { address: "10.0.0.7" };
      },
      destroy: async () => void booted.push("destroyed"),
    },
  });
  const order = { ...ORDER, hostname: "web-1", user_data: btoa("#cloud-config\n{}\n") };
  const { id } = (await call("POST", "/instances", order)).body.instance;
  await expect
    .poll(async () => (await call("GET", `/instances/${id}`)).body.instance)
    .toMatchObject({ status: "active", server_status: "ok", main_ip: "10.0.0.7" });
  await call("DELETE", `/instances/${id}`);
  expect(booted).toEqual(["web-1 #cloud-config\n{}\n", "destroyed"]);
});

test("an instance is stopped and locked until it is installed, and is behind no group that is none", async () => {
  const { call, clock } = standInWith();
  const odd = await call("POST", "/instances", { ...ORDER, firewall_group_id: "none" });
  expect(odd).toMatchObject({ status: 400, body: { error: "Invalid firewall_group_id." } });
  const { instance } = (await call("POST", "/instances", ORDER)).body;
  expect(instance).toMatchObject({ status: "pending", power_status: "stopped" });
  const remove = () => call("DELETE", `/instances/${instance.id}`);
  expect(await remove()).toMatchObject({
    ...{ status: 500, body: { error: expect.stringContaining("Server is currently locked") } },
  });
  await clock.sleep(60_000);
  expect((await remove()).status).toBe(204);
});

test("deleting a firewall group that is in use leaves its instances open, as there", async () => {
  const { call } = standInWith();
  const group = (await call("POST", "/firewalls", { description: "a" })).body.firewall_group.id;
  const order = { ...ORDER, firewall_group_id: group };
  const { id } = (await call("POST", "/instances", order)).body.instance;
  expect((await call("DELETE", `/firewalls/${group}`)).status).toBe(204);
  expect((await call("GET", `/instances/${id}`)).body.instance.firewall_group_id).toBe("");
});

test("more than thirty requests a second are refused with 429", async () => {
  const { call, clock } = standInWith();
  for (let count = 0; count < 30; count += 1) await call("GET", "/plans");
  expect(await call("GET", "/plans")).toEqual({
    status: 429,
    body: { status: 429, error: "rate limit exceeded" },
  });
  await clock.sleep(1_001);
  expect((await call("GET", "/plans")).status).toBe(200);
});

test("it runs as a program of its own", async () => {
  const program = join(import.meta.dirname, "../../vultr/main.ts");
  const child = spawn(process.execPath, [program, "--key", "k"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const { url } = JSON.parse(line) as { url: string };
  const answer = await fetch(`${url}/account`, { headers: { authorization: "Bearer k" } });
  expect(await answer.json()).toMatchObject({ account: { name: "Example Ltd" } });
  child.kill("SIGTERM");
  expect(await once(child, "close")).toEqual([0, null]);
});
