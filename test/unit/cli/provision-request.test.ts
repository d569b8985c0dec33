import { expect, test } from "vitest";
import { type ProvisionWords, provisionRequest } from "../../../src/cli/provision-request.ts";

const request = (words: Partial<ProvisionWords>) =>
  provisionRequest({ installDocker: false, harden: false, yes: false, ...words });

const TAKEN = {
  ...{ ssh: "root@192.0.2.1", fingerprint: undefined },
  ...{ installDocker: false, harden: false, yes: false },
};

test.each<[string, Partial<ProvisionWords>, object]>([
  ["nothing more", {}, { kind: "make", flags: { host: undefined, yes: false } }],
  ["a host", { host: "web-1", yes: true }, { kind: "make", flags: { host: "web-1", yes: true } }],
  ["--gc", { gc: true }, { kind: "collect", flags: { machine: undefined, yes: false } }],
  [
    "--gc ID",
    { gc: "id-1", yes: true },
    { kind: "collect", flags: { machine: "id-1", yes: true } },
  ],
  [
    "--ssh",
    { host: "web-1", ssh: "root@192.0.2.1", installDocker: true },
    {
      kind: "adopt",
      host: "web-1",
      flags: { ...TAKEN, installDocker: true },
    },
  ],
  [
    "--ssh --harden --yes",
    { host: "web-1", ssh: "root@192.0.2.1", harden: true, yes: true },
    { kind: "adopt", host: "web-1", flags: { ...TAKEN, harden: true, yes: true } },
  ],
])("al provision with %s is understood", (_name, words, wanted) => {
  expect(request(words)).toEqual(wanted);
});

test.each<[string, Partial<ProvisionWords>, string]>([
  ["--ssh without a host", { ssh: "root@192.0.2.1" }, "--ssh is about one host"],
  ["--ssh --yes", { host: "a", ssh: "root@192.0.2.1", yes: true }, "--ssh confirms nothing but"],
  ["--fingerprint alone", { host: "a", fingerprint: "SHA256:x" }, "--fingerprint goes with --ssh"],
  ["--install-docker alone", { installDocker: true }, "--install-docker goes with --ssh"],
  ["--harden alone", { host: "a", harden: true }, "--harden goes with --ssh"],
  ["--gc for a host", { host: "a", gc: true }, "--gc is about the whole project"],
  ["--gc --ssh", { ssh: "root@192.0.2.1", gc: true }, "--gc and --ssh are two tasks"],
])("%s is refused by name", (_name, words, message) => {
  expect(() => request(words)).toThrow(message);
});

test("everything that does not fit is said at once", () => {
  const wrong = { host: "a", gc: "id-1", fingerprint: "SHA256:x" } as const;
  expect(() => request(wrong)).toThrow(/--fingerprint goes with --ssh.*\n--gc is about/);
});
