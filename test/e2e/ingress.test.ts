import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type AcmeServer, selfSigned, startAcmeServer } from "../lab/acme-server.ts";
import { ensureCaddyBaseImage } from "../lab/caddy-base-image.ts";
import { addCredential } from "../world/home.ts";
import { hostState } from "../world/host-state.ts";
import { orFail } from "../world/world.ts";
import { askPlain, askPublic, issueDelivery, type PublicPlace } from "./public-request.ts";
import {
  GATEWAY_KEY,
  SECRET,
  startWebhookDeployment,
  type WebhookDeployment,
} from "./webhook-deployment.ts";

const PROJECT = "public";
const PORT = 8094;
const NAME = "agents.example.com";
const DIRECTORY = `/home/deploy/.action-llama/projects/${PROJECT}`;
/** Images are built, and on a busy machine that takes minutes. */
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const options = { log: () => {} };
let on: WebhookDeployment;
let acme: AcmeServer;
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
  const control = gateway.includes("publicControl = true");
  await on.write({ port: PORT, baseImage, control, gateway });
  await on.push("settings");
  await on.world.approveAll();
  orFail(await on.world.al("apply"));
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
  await deploy(...byAcme(), "publicControl = true");
  expect(await ingress()).not.toBe(before.name);
  await untilPublic();
  expect((await askPublic(place, "/")).serial).toBe(before.serial);
  const headers = { authorization: `Bearer ${GATEWAY_KEY}` };
  const asked = { method: "GET", headers };
  expect((await askPublic(place, "/control/status", asked)).status).toBe(200);
  expect((await askPublic(place, "/control/status", { method: "GET" })).status).toBe(401);
  await deploy(...byAcme());
  await untilPublic();
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

test("whoever is refused too often is turned away, which keeps nobody else out", async () => {
  const forged = issueDelivery("forged", "another secret");
  const spoofing = { ...forged.headers, "x-forwarded-for": "203.0.113.5" };
  const forge = () => askPublic(place, "/webhooks/github", { ...forged, headers: spoofing });
  for (let n = 0; n < 300 && (await forge()).status !== 429; n += 1);
  const told = await askPublic(place, "/webhooks/github", issueDelivery("late", SECRET));
  expect(told.status).toBe(429);
  expect(JSON.parse(told.body)).toMatchObject({ code: "too-many-refused" });
  expect(await on.send({ id: "through-the-door" })).toMatchObject({ status: 200 });
});

test("an ingress that was removed, and certificates that are gone, are put back", async () => {
  await on.shell('docker rm -f "$1"', await ingress());
  expect((await on.world.al("plan")).stdout).toContain("the ingress was removed");
  orFail(await on.world.al("apply"));
  await untilPublic();
  await on.shell(`rm -rf ${DIRECTORY}/certificates/${NAME}`);
  expect((await on.world.al("plan")).stdout).toContain("the ingress's certificates was removed");
  orFail(await on.world.al("apply"));
  await untilPublic();
  expect((await on.world.al("plan")).code).toBe(0);
});

test("a given certificate is served, and another one after a push, by the same container", async () => {
  const home = await mkdtemp(join(tmpdir(), "al-given-"));
  const give = async (): Promise<PublicPlace> => {
    const { certificate, key } = await selfSigned(home, `DNS:${NAME}`);
    const ca = await readFile(certificate, "utf8");
    await addCredential(on.world.home, "tls_certificate/origin/certificate", ca);
    const privateKey = await readFile(key, "utf8");
    await addCredential(on.world.home, "tls_certificate/origin/private_key", privateKey);
    return { ...place, ca };
  };
  try {
    const first = await give();
    await deploy(`public = "${NAME}"`, 'certificate = "origin"');
    await untilPublic(first);
    const name = await ingress();
    const second = await give();
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
