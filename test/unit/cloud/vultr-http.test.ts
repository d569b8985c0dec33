import { inspect } from "node:util";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { Secret } from "../../../src/base/secret.ts";
import { createRateLimiter } from "../../../src/cloud/rate-limiter.ts";
import { vultrClient } from "../../../src/cloud/vultr-client.ts";
import { openVultr } from "../../../src/cloud/vultr-http.ts";
import { vultrProvider } from "../../../src/cloud/vultr-provider.ts";
import type { VultrFault } from "../../vultr/faults.ts";
import { vultrRig } from "../../vultr/rig.ts";
import { startVultrServer, type VultrServer } from "../../vultr/server.ts";

const answer = (status: number, more: object = {}): VultrFault["does"] => ({
  kind: "answer",
  status,
  ...more,
});
const GET = { method: "GET", path: "/account" } as const;
const POST = { method: "POST", path: "/firewalls", body: { description: "a" } } as const;

let server: VultrServer | undefined;
afterEach(() => server?.close());

test("what a busy or broken Vultr refuses is asked again, with growing, jittered delays", async () => {
  const { clock, send, standIn } = vultrRig();
  for (const status of [500, 503, 502]) standIn.inject({ does: answer(status) });
  await send({ random: () => 1 })(GET);
  const times = standIn.requests.map(({ atMs }) => atMs);
  const start = times[0] ?? 0;
  expect(times.map((at) => at - start)).toEqual([0, 500, 1_500, 3_500]);
  for (const _ of [1, 2, 3, 4, 5]) standIn.inject({ does: answer(500) });
  const before = clock.now();
  await expect(send({ random: () => 0 })(GET)).rejects.toMatchObject({
    code: "provider-unreachable",
    blame: "transient",
    message: expect.stringContaining("500: scripted"),
  });
  expect(clock.now() - before).toBe((500 + 1_000 + 2_000 + 4_000) / 2);
});

test("429 holds every request of the process for as long as Vultr says", async () => {
  const { send, standIn } = vultrRig();
  standIn.inject({ does: answer(429, { retryAfter: 7 }) });
  const one = send();
  await Promise.all([one(GET), one(GET)]);
  const [first, ...others] = standIn.requests.map(({ atMs }) => atMs);
  expect(Math.min(...others) - (first ?? 0)).toBeGreaterThanOrEqual(40);
  expect(Math.max(...others) - (first ?? 0)).toBeGreaterThanOrEqual(7_000);
  expect(standIn.requests.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
});

test("a POST that may have been carried out is never sent again", async () => {
  const { send, standIn } = vultrRig();
  const lost = { code: "provider-answer-lost", blame: "transient" };
  for (const kind of ["lose-answer", "fail-after", "hang"] as const) {
    standIn.inject({ method: "POST", does: { kind } });
    await expect(send({ timeoutMs: 50 })(POST)).rejects.toMatchObject(lost);
  }
  expect(standIn.account.groups.size).toBe(3);
  expect(standIn.requests).toHaveLength(3);
});

test("a POST that was not carried out is sent again", async () => {
  const { send, standIn } = vultrRig();
  standIn.inject({ does: answer(429, { retryAfter: 1 }) });
  await send()(POST);
  const refused = Object.assign(new Error("no"), { code: "ECONNREFUSED" });
  let calls = 0;
  const fetch = async () => {
    calls += 1;
    throw new TypeError("fetch failed", { cause: refused });
  };
  await expect(send({ fetch })(POST)).rejects.toMatchObject({
    code: "provider-unreachable",
    message: expect.stringContaining("ECONNREFUSED"),
  });
  expect(calls).toBe(5);
  expect(standIn.account.groups.size).toBe(1);
});

test("an answer to a POST that cannot be read counts as lost", async () => {
  const { send } = vultrRig();
  const fetch = async () => new Response("<html>", { status: 201 });
  await expect(send({ fetch })(POST)).rejects.toMatchObject({ code: "provider-answer-lost" });
  const odd = vultrClient(send({ fetch: async () => Response.json({ nothing: 1 }) }));
  await expect(odd.createFirewallGroup("a")).rejects.toMatchObject({
    code: "provider-answer-lost",
  });
  await expect(odd.account()).rejects.toMatchObject({ code: "provider-answer-unreadable" });
});

test("a hundred requests at once stay below thirty a second", async () => {
  const { send, standIn } = vultrRig();
  const one = send();
  await Promise.all(Array.from({ length: 100 }, () => one(GET)));
  expect(standIn.requests.map(({ status }) => status)).toEqual(Array(100).fill(200));
});

test.each([
  [401, "Invalid API token.", "provider-key-refused"],
  [403, "Unauthorized IP address", "provider-key-refused"],
  [404, "not here", "provider-not-found"],
  [400, "The description exceeds 255 characters.", "provider-refused"],
  [422, "what is this", "provider-refused"],
])("%d %s is %s, and not asked again", async (status, error, code) => {
  const { send, standIn } = vultrRig();
  standIn.inject({ does: answer(status, { error }) });
  await expect(send()(GET)).rejects.toMatchObject({
    code,
    blame: "user",
    message: `Vultr refused GET /account with ${status}: ${error}`,
    hint: expect.stringMatching(/\.$|al creds add vultr_api_key$/),
  });
  expect(standIn.requests).toHaveLength(1);
});

test("only an order for a machine can be one too many", async () => {
  const { send, standIn } = vultrRig();
  const error = "You have reached the maximum number of active instances.";
  const codeOf = async (path: string) => {
    standIn.inject({ does: answer(400, { error }) });
    return send()({ method: "POST", path, body: {} }).catch(({ code }) => code);
  };
  expect(await codeOf("/instances")).toBe("provider-quota");
  expect(await codeOf("/firewalls")).toBe("provider-refused");
});

test("what is locked is removed when it is no longer, and is waited for for two minutes", async () => {
  const { clock, send, standIn } = vultrRig();
  const lock = (times: number) => {
    standIn.inject({ times, does: answer(500, { error: "Server is currently locked" }) });
  };
  const remove = () => send()({ method: "DELETE", path: "/instances/1" });
  lock(9);
  await expect(remove()).rejects.toMatchObject({ code: "provider-not-found" });
  lock(100);
  const before = clock.now();
  await expect(remove()).rejects.toMatchObject({
    code: "provider-unreachable",
    message: expect.stringContaining("Server is currently locked"),
  });
  expect(clock.now() - before).toBeGreaterThan(120_000);
  expect(clock.now() - before).toBeLessThan(140_000);
});

test("odd things of others in the account stop nothing", async () => {
  const { send } = vultrRig();
  const meta = { total: 1, links: { next: "", prev: "" } };
  const odd: Readonly<Record<string, object>> = {
    "/v2/ssh-keys": { ssh_keys: [{ id: "1", name: null, ssh_key: "ssh-rsa A" }], meta },
    "/v2/firewalls": { firewall_groups: [{ id: "1", description: null, date_created: "" }], meta },
    "/v2/instances": {
      instances: [{ id: "1", os: null, v6_main_ip: null, firewall_group_id: null, tags: null }],
      meta,
    },
  };
  const fetch = async ({ url }: Request) => Response.json(odd[new URL(url).pathname]);
  const provider = vultrProvider(send({ fetch }));
  expect(await provider.listSshKeys()).toEqual([{ id: "1", name: "" }]);
  expect(await provider.listFirewalls()).toEqual([{ id: "1", name: "" }]);
  expect(await provider.findMachines("al-project-acme")).toEqual([]);
});

test("the key is in no error, whatever Vultr or the network say", async () => {
  const key = "VERY-SECRET-KEY-0123456789";
  const { send } = vultrRig({ key });
  const secret = { key: new Secret(key), timeoutMs: 20 };
  const echo = `bad token ${key} \u001b[31m`;
  const fetches = [
    async () => Response.json({ error: echo }, { status: 401 }),
    async () => new Response(echo, { status: 500 }),
    async () => new Response("{", { status: 200 }),
    async () => Promise.reject(new TypeError("fetch failed", { cause: new Error("odd") })),
    () => new Promise<Response>(() => {}),
  ];
  for (const fetch of fetches) {
    const failure = await send({ ...secret, fetch })(GET).catch((thrown: unknown) => thrown);
    expect(inspect(failure, { depth: 9 })).not.toContain(key);
    expect((failure as Error).message).not.toContain("\u001b");
  }
  const unfit = () => send({ key: new Secret(`${key}\n`) });
  expect(unfit).toThrow(expect.objectContaining({ code: "provider-key-refused" }));
  expect(unfit).not.toThrow(new RegExp(key));
});

test("over a real connection: pages, cut and hanging connections, a deadline, an abort", async () => {
  server = await startVultrServer({ perPage: 2 });
  const { baseUrl, standIn } = server;
  const options = { key: new Secret(standIn.key), clock: systemClock, random: () => 0, baseUrl };
  const limiter = createRateLimiter(1_000, systemClock);
  const send = openVultr({ ...options, limiter, timeoutMs: 300 });
  expect((await vultrClient(send).plans()).map(({ id }) => id)).toHaveLength(5);
  standIn.inject({ method: "GET", path: "/account", does: { kind: "lose-answer" } });
  standIn.inject({ method: "GET", path: "/account", does: { kind: "hang" } });
  expect((await vultrClient(send).account()).name).toBe("Example Ltd");
  standIn.inject({ method: "POST", does: { kind: "lose-answer" } });
  await expect(send(POST)).rejects.toMatchObject({ code: "provider-answer-lost" });
  standIn.inject({ path: "/account", does: { kind: "hang" } });
  const signal = AbortSignal.timeout(50);
  await expect(send(GET, { signal })).rejects.toMatchObject({ name: "TimeoutError" });
});

test("pages that lead in a circle end", async () => {
  const { send } = vultrRig();
  const fetch = async () =>
    Response.json({ regions: [], meta: { total: 0, links: { next: "again", prev: "" } } });
  await expect(vultrClient(send({ fetch })).regions()).rejects.toMatchObject({
    code: "provider-answer-unreadable",
  });
});
