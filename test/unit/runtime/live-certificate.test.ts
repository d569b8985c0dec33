import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/logger.ts";
import { keepCertificate } from "../../../src/runtime/live-certificate.ts";
import type { LiveRelease } from "../../../src/schedule/ports.ts";
import { type CertificatePair, certificatePair as pair } from "../credentials/certificate-pair.ts";
import { release } from "../schedule/harness.ts";
import { SimulatedClock } from "../schedule/simulated-clock.ts";

let directory: string;
let live: LiveRelease | undefined;
let clock: SimulatedClock;
/** What was logged as an error. */
let told: string[];

beforeEach(async () => {
  clock = new SimulatedClock();
  told = [];
  directory = await mkdtemp(join(tmpdir(), "al-certificate-"));
  await mkdir(join(directory, "ingress"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A live release whose public name has a given certificate, of this credential set. */
function liveWith(credentials: string): LiveRelease {
  const base = release([]);
  const ingress = { control: false, trustedProxies: [], certificate: "origin" };
  return { ...base, credentials, project: { ...base.project, ingress } };
}

async function put(set: string, { certificate, key }: CertificatePair): Promise<void> {
  const path = join(directory, "credentials", set, "tls_certificate/origin");
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "certificate"), certificate);
  await writeFile(join(path, "private_key"), key);
}

const place = () => join(directory, "ingress/certificate.pem");
const keeper = () =>
  keepCertificate({
    ...{ projectDir: directory, releases: { current: async () => live }, clock },
    logger: { ...silentLogger, error: ({ err }, message) => told.push(`${message}: ${err}`) },
  });

test("certificate and key of the live credential set are one file, for its user only", async () => {
  const [first, second] = [pair(), pair()];
  await put("one", first);
  await put("two", second);
  live = liveWith("one");
  await keeper().follow();
  expect(await readFile(place(), "utf8")).toBe(`${first.certificate}\n${first.key}`);
  expect((await stat(place())).mode & 0o777).toBe(0o600);
  live = liveWith("two");
  await keeper().follow();
  expect(await readFile(place(), "utf8")).toBe(`${second.certificate}\n${second.key}`);
  expect(await readdir(join(directory, "ingress"))).toEqual(["certificate.pem"]);
});

test("what is there already stays the same file, so that nobody starts anew for it", async () => {
  await put("one", pair());
  live = liveWith("one");
  await keeper().follow();
  const { ino } = await stat(place());
  await keeper().follow();
  expect((await stat(place())).ino).toBe(ino);
});

test("it goes when none is given any more, and stays where nothing is live", async () => {
  await put("one", pair());
  live = liveWith("one");
  await keeper().follow();
  live = undefined;
  await keeper().follow();
  expect(await readdir(join(directory, "ingress"))).toEqual(["certificate.pem"]);
  live = { ...liveWith("one"), project: release([]).project };
  await keeper().follow();
  expect(await readdir(join(directory, "ingress"))).toEqual([]);
  await rm(join(directory, "ingress"), { recursive: true });
  await keeper().follow();
});

test.each([
  ["a key of another certificate", () => ({ ...pair(), key: pair().key })],
  ["no PEM at all", () => ({ certificate: "x", key: "y" })],
])(
  "with %s the one before stays, and it is told once, without its content",
  async (_what, wrong) => {
    const good = pair();
    await put("one", good);
    live = liveWith("one");
    const kept = keeper();
    await kept.follow();
    await put("two", wrong());
    live = liveWith("two");
    await kept.follow();
    await kept.follow();
    expect(told).toEqual([
      expect.stringMatching(
        /no usable certificate: AlError: tls_certificate:origin is not a cert[^-]*$/,
      ),
    ]);
    expect(await readFile(place(), "utf8")).toBe(`${good.certificate}\n${good.key}`);
  },
);

test("what could not be read or written is tried again, and not taken for an unusable one", async () => {
  live = liveWith("one");
  const kept = keeper();
  await expect(kept.follow()).rejects.toMatchObject({ code: "ENOENT" });
  await put("one", pair());
  await rm(join(directory, "ingress"), { recursive: true });
  await expect(kept.follow()).rejects.toMatchObject({ code: "ENOENT" });
  await mkdir(join(directory, "ingress"));
  await kept.follow();
  expect(await readdir(join(directory, "ingress"))).toEqual(["certificate.pem"]);
  expect(told).toEqual([]);
});

test("what was removed is there again within a minute, until nobody follows", async () => {
  await put("one", pair());
  live = liveWith("one");
  const kept = keeper();
  await kept.follow();
  const abort = new AbortController();
  const following = kept.keepFollowing(abort.signal);
  await rm(place());
  await clock.advance(60_000);
  await expect.poll(() => readdir(join(directory, "ingress"))).toEqual(["certificate.pem"]);
  abort.abort();
  await following;
  expect(clock.sleepers).toBe(0);
});

test("what a killed runtime left is written over, and goes too", async () => {
  const left = `${place()}.next`;
  await put("one", pair());
  live = liveWith("one");
  await writeFile(left, "half", { mode: 0o644 });
  await keeper().follow();
  expect(await readdir(join(directory, "ingress"))).toEqual(["certificate.pem"]);
  expect((await stat(place())).mode & 0o777).toBe(0o600);
  await writeFile(left, "half");
  live = { ...liveWith("one"), project: release([]).project };
  await keeper().follow();
  expect(await readdir(join(directory, "ingress"))).toEqual([]);
});
