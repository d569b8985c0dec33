import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { lookAtPublic } from "../../src/cli/look-at-public.ts";
import { type AcmeServer, selfSigned, startAcmeServer } from "../lab/acme-server.ts";
import { ensureCaddyBaseImage } from "../lab/caddy-base-image.ts";
import { type AlResult, jsonLines } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { hostState } from "../world/host-state.ts";
import { orFail } from "../world/world.ts";
import {
  askPlain,
  askPublic,
  glancePublic,
  issueDelivery,
  type PublicPlace,
} from "./public-request.ts";
import {
  GATEWAY_KEY,
  SECRET,
  startWebhookDeployment,
  type WebhookDeployment,
} from "./webhook-deployment.ts";

const PROJECT = "public";
const PORT = 8094;
const NAME = "agents.example.com";
const OTHER_NAME = "hooks.example.com";
const DIRECTORY = `/home/deploy/.action-llama/projects/${PROJECT}`;
/** Images are built, and on a busy machine that takes minutes. */
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const options = { log: () => {} };
let on: WebhookDeployment;
let acme: AcmeServer;
/** Believes the ACME server; where nobody has to, the image of the ingress is made of a plain Debian. */
let baseImage: string;
/** The public name, with certificates of the ACME server. */
let place: PublicPlace;

beforeAll(async () => {
  on = await startWebhookDeployment(PROJECT, PORT);
  const { host, lab } = on.world;
  const { gatewayAddress: address, address: resolveTo } = host;
  acme = await startAcmeServer({ address, resolveTo }, options);
  baseImage = await ensureCaddyBaseImage(lab, acme.ownRoot, options);
  place = { name: NAME, address: host.address, ca: await acme.root() };
});

afterAll(async () => {
  await acme?.stop();
  await on?.close();
});

/** Writes, commits and applies a project with these lines in `[gateway]`. */
async function deploy(...gateway: readonly string[]): Promise<void> {
  orFail(await tryToDeploy(...gateway));
}

async function tryToDeploy(...gateway: readonly string[]): Promise<AlResult> {
  const control = gateway.includes("publicControl = true");
  await on.write({ port: PORT, baseImage, control, gateway });
  await on.push("settings");
  await on.world.approveAll();
  return on.world.al("apply");
}

const byAcme = () => [
  `public = "${NAME}"`,
  `acme = { email = "ops@example.com", directory = "${acme.directory}" }`,
];

const ingress = async () => (await hostState(on.world.host, PROJECT)).current.ingress ?? "";

/** Certificates are had in the background, and pebble is asked more than once. */
const untilPublic = (at = place) =>
  expect
    .poll(
      () =>
        askPublic(at, "/webhooks/none").then(
          ({ status }) => status,
          (thrown) => String(thrown),
        ),
      { timeout: 60_000, interval: 500 },
    )
    .toBe(404);

test("a delivery to the public name arrives, with a certificate of the ACME server", async () => {
  await deploy(...byAcme());
  await untilPublic();
  const told = await askPublic(place, "/webhooks/github", issueDelivery("first", SECRET));
  expect(told.status).toBe(200);
  expect(JSON.parse(told.body)).toMatchObject({ ok: true, matched: 1 });
  expect((await on.world.al("plan")).code).toBe(0);
});

/** What `al host check` says of the public name, by topic; what it says of the host is another matter. */
async function checked(...topics: readonly string[]): Promise<unknown[]> {
  const { stdout } = await on.world.al("--json", "host", "check", "one");
  const [found] = jsonLines(stdout) as { findings: { topic: string }[] }[];
  return (found?.findings ?? []).filter(({ topic }) => topics.includes(topic));
}

test("al host check sees where the name leads, both ports, and whose certificate it is", async () => {
  const { signal } = new AbortController();
  const look = await lookAtPublic(NAME, place.address, { signal, servers: [acme.dns] });
  expect(look).toMatchObject({
    leadsTo: [{ address: place.address, shown: look.https }],
    https: { kind: "certificate", trusted: false, certificate: { isForName: true } },
    http: "open",
  });
  expect(await checked("ports", "certificate")).toEqual([
    expect.objectContaining({ severity: "advice", says: expect.stringContaining("not trust") }),
  ]);
});

test("nothing else is public, in the clear or by another way to write a path", async () => {
  const key = { headers: { authorization: `Bearer ${GATEWAY_KEY}` }, method: "GET" };
  for (const path of ["/control/status", "/webhooks/../control/status", "/openapi.json", "/"]) {
    expect((await askPublic(place, path, key)).status).toBe(404);
  }
  const plain = await askPlain(place, "/webhooks/github");
  expect(plain.status).toBe(403);
  expect(JSON.parse(plain.body)).toMatchObject({ code: "https-only" });
});

test("the ingress has nothing of the host but two directories, and no rights", async () => {
  const looked = JSON.parse(await on.shell('docker inspect "$1"', await ingress()))[0];
  const mounts = looked.Mounts.filter(({ Type }: { Type: string }) => Type === "bind");
  expect(mounts).toHaveLength(2);
  expect(mounts).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ Source: `${DIRECTORY}/ingress`, RW: false }),
      expect.objectContaining({ Source: `${DIRECTORY}/certificates/${NAME}`, RW: true }),
    ]),
  );
  expect(looked.HostConfig).toMatchObject({
    ...{ CapDrop: ["ALL"], ReadonlyRootfs: true, GroupAdd: [] },
    SecurityOpt: ["no-new-privileges"],
  });
  expect(await on.shell(`stat -c %a ${DIRECTORY}/certificates/${NAME}`)).toBe("700");
});

test("certificates survive another ingress, and the control API is public only when asked", async () => {
  const before = { serial: (await askPublic(place, "/")).serial, name: await ingress() };
  const { gatewayAddress } = on.world.host;
  await deploy(...byAcme(), "publicControl = true", `trustedProxies = ["${gatewayAddress}"]`);
  expect(await ingress()).not.toBe(before.name);
  await untilPublic();
  expect((await askPublic(place, "/")).serial).toBe(before.serial);
  const headers = { authorization: `Bearer ${GATEWAY_KEY}` };
  const asked = { method: "GET", headers };
  expect((await askPublic(place, "/control/status", asked)).status).toBe(200);
  expect((await askPublic(place, "/control/status", { method: "GET" })).status).toBe(401);
});

test("who goes away while it follows something takes no place from others", async () => {
  const headers = { authorization: `Bearer ${GATEWAY_KEY}` };
  const statuses: number[] = [];
  for (let n = 0; n < 100; n += 1) {
    statuses.push(await glancePublic(place, "/control/events", headers));
  }
  expect(statuses).toEqual(Array(100).fill(200));
});

/** Sends what is refused, as if for this client, until it is turned away. */
async function untilTurnedAway(client: string): Promise<number> {
  const forged = issueDelivery("forged", "another secret");
  const headers = { ...forged.headers, "x-forwarded-for": client };
  for (let sent = 1; sent < 300; sent += 1) {
    const { status } = await askPublic(place, "/webhooks/github", { ...forged, headers });
    if (status === 429) return sent;
  }
  return Number.POSITIVE_INFINITY;
}

test("a proxy that was named is believed whom it has a request from", async () => {
  expect(await untilTurnedAway("198.51.100.1")).toBeGreaterThan(60);
  expect(await untilTurnedAway("198.51.100.2, 198.51.100.1")).toBe(1);
  expect(await untilTurnedAway("198.51.100.1, 198.51.100.2")).toBeGreaterThan(60);
});

test("what was granted to the outside is taken back", async () => {
  await deploy(...byAcme());
  await untilPublic();
  const asked = { method: "GET", headers: { authorization: `Bearer ${GATEWAY_KEY}` } };
  expect((await askPublic(place, "/control/status", asked)).status).toBe(404);
});

test("while the runtime is away a sender waits, and its delivery is stored once", async () => {
  const { runtime } = await on.live();
  await on.shell('docker stop "$1"', runtime);
  const told = askPublic(place, "/webhooks/github", issueDelivery("waits", SECRET));
  await delay(1000);
  await on.shell('docker start "$1"', runtime);
  expect((await told).status).toBe(200);
  expect(JSON.parse((await told).body)).not.toHaveProperty("duplicate");
});

test("strangers who are refused from an address of good senders keep nobody out", async () => {
  expect(await untilTurnedAway("203.0.113.5")).toBe(Number.POSITIVE_INFINITY);
  const told = await askPublic(place, "/webhooks/github", issueDelivery("late", SECRET));
  expect(told.status).toBe(200);
  expect(await on.send({ id: "through-the-door" })).toMatchObject({ status: 200 });
});

test("an ingress that was removed, and certificates that are gone, are put back", async () => {
  await on.shell('docker rm -f "$1"', await ingress());
  expect((await on.world.al("plan")).stdout).toContain("the ingress was removed");
  expect(await checked("ports", "certificate")).toEqual([
    expect.objectContaining({ severity: "problem", says: expect.stringContaining("no ingress") }),
  ]);
  orFail(await on.world.al("apply"));
  await untilPublic();
  await on.shell(`rm -rf ${DIRECTORY}/certificates/${NAME}`);
  expect((await on.world.al("plan")).stdout).toContain("the ingress's certificates was removed");
  orFail(await on.world.al("apply"));
  await untilPublic();
  expect((await on.world.al("plan")).code).toBe(0);
});

test("another name has a given certificate, and another one after a push, by the same container", async () => {
  const home = await mkdtemp(join(tmpdir(), "al-given-"));
  const give = async (): Promise<PublicPlace> => {
    const { certificate, key } = await selfSigned(home, `DNS:${OTHER_NAME}`);
    const ca = await readFile(certificate, "utf8");
    await addCredential(on.world.home, "tls_certificate/origin/certificate", ca);
    const privateKey = await readFile(key, "utf8");
    await addCredential(on.world.home, "tls_certificate/origin/private_key", privateKey);
    return { ...place, name: OTHER_NAME, ca };
  };
  try {
    const first = await give();
    const before = await ingress();
    baseImage = on.world.lab.baseImage;
    await deploy(`public = "${OTHER_NAME}"`, 'certificate = "origin"');
    await untilPublic(first);
    const name = await ingress();
    const listed = `docker ps -aq --filter name=${before} | wc -l; ls ${DIRECTORY}/certificates`;
    expect(await on.shell(listed)).toBe(`0\n${OTHER_NAME}`);
    await addCredential(on.world.home, "tls_certificate/origin/private_key", "another's");
    const refused = await on.world.al("push");
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain("tls_certificate:origin is not a certificate with its key");
    const second = await give();
    expect(await checked("certificate")).toContainEqual(
      expect.objectContaining({ severity: "advice", todo: "Deliver it: al push" }),
    );
    orFail(await on.world.al("push"));
    await untilPublic(second);
    expect(await ingress()).toBe(name);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

test("when nothing is public any more, no port, key or certificate is left", async () => {
  await deploy();
  expect(await ingress()).toBe("");
  await expect(askPublic(place, "/")).rejects.toThrow("ECONNREFUSED");
  expect(await on.shell(`ls ${DIRECTORY}/certificates`)).toBe("");
  await expect.poll(() => on.shell(`ls ${DIRECTORY}/ingress`), { timeout: 10_000 }).toBe("");
  expect((await hostState(on.world.host, PROJECT)).unlisted).toEqual([]);
  expect(await on.send({ id: "still-here" })).toMatchObject({ status: 200 });
  expect((await on.world.al("plan")).code).toBe(0);
});

test("where something else has the port, nothing is lost, and it is said", async () => {
  const before = await on.live();
  const take = 'docker run -d --name taker -p 443:1 --network bridge --entrypoint sleep "$1" 600';
  await on.shell(take, baseImage);
  const { code, stdout } = await tryToDeploy(`public = "${OTHER_NAME}"`, 'certificate = "origin"');
  expect(code).toBe(1);
  expect(stdout).toContain("port 443 of the host is taken");
  expect(await on.live()).toEqual(before);
  expect(await on.send({ id: "still-served" })).toMatchObject({ status: 200 });
  expect(await checked("ports")).toContainEqual(
    expect.objectContaining({ says: expect.stringContaining("something else has port 443") }),
  );
  await on.shell("docker rm -f taker");
  orFail(await on.world.al("apply"));
  await expect.poll(() => checked("ports"), { timeout: 60_000, interval: 1000 }).toEqual([]);
});
