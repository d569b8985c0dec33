import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepCertificate } from "../../../src/runtime/live-certificate.ts";
import type { LiveRelease } from "../../../src/schedule/ports.ts";
import { type CertificatePair, certificatePair as pair } from "../credentials/certificate-pair.ts";
import { release } from "../schedule/harness.ts";

let directory: string;
let live: LiveRelease | undefined;

beforeEach(async () => {
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
const keeper = () => keepCertificate(directory, { current: async () => live });

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
])("with %s the one before stays, and the error names no content", async (_what, wrong) => {
  const good = pair();
  await put("one", good);
  live = liveWith("one");
  await keeper().follow();
  await put("two", wrong());
  live = liveWith("two");
  await expect(keeper().follow()).rejects.toMatchObject({
    code: "certificate-unusable",
    message: expect.stringContaining("tls_certificate:origin"),
  });
  expect(await readFile(place(), "utf8")).toBe(`${good.certificate}\n${good.key}`);
});
