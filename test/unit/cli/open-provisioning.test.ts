import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openProvisioning } from "../../../src/cli/open-provisioning.ts";
import { storeDirectory } from "../../../src/cli/wake.ts";
import { generateSshKeyPair } from "../../../src/provisioning/ssh-key-pair.ts";
import { readControllerStore } from "../../../src/state/controller-store.ts";
import { startVultrServer } from "../../vultr/server.ts";
import { temporaryDirectory } from "../git/git-fixture.ts";

const login = generateSshKeyPair();
const VULTR = "vultr_api_key/default/api_key";
const SSH = "vps_ssh/default/private_key";

/** A home with these credentials. */
function homeWith(credentials: Readonly<Record<string, string>>): string {
  const home = temporaryDirectory();
  for (const [path, value] of Object.entries(credentials)) {
    const file = join(home, "credentials", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, value, { mode: 0o600 });
  }
  return home;
}

async function opened(access: "read" | "write" = "write") {
  const { baseUrl, standIn, close } = await startVultrServer();
  onTestFinished(close);
  const home = homeWith({ [VULTR]: `${standIn.key}\n`, [SSH]: login.privateKey.reveal() });
  const provisioning = await openProvisioning({ home, vultrUrl: baseUrl }, "acme", access);
  onTestFinished(provisioning.close);
  return { ...provisioning.deps, home };
}

test.each([
  ["nothing", {}, "vultr_api_key"],
  ["only the provider's key", { [VULTR]: "k" }, "vps_ssh"],
])("with %s it says which credential to add", async (_name, credentials, missing) => {
  const home = homeWith(credentials);
  await expect(openProvisioning({ home }, "acme", "write")).rejects.toMatchObject({
    code: "credential-missing",
    blame: "user",
    hint: `Add it: al creds add ${missing}`,
  });
});

test("a key that nobody could log in with is refused before anything is made", async () => {
  const file = join(temporaryDirectory(), "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "a secret", "-f", file]);
  for (const key of [readFileSync(file, "utf8"), readFileSync(`${file}.pub`, "utf8"), "nonsense"]) {
    const home = homeWith({ [VULTR]: "k", [SSH]: key });
    await expect(openProvisioning({ home }, "acme", "write")).rejects.toMatchObject({
      code: "unusable-key",
      message: expect.not.stringContaining("BEGIN"),
    });
  }
});

test("the provider is asked with the stored key, and machines let in its owner alone", async () => {
  const { provider, firstBoot, newNonce } = await opened();
  expect(await provider.account()).toBe("Example Ltd");
  const { userData, hostKey } = await firstBoot({ os: "debian-13", memoryMb: 1024, user: "ops" });
  const config = JSON.parse(userData.reveal().replace("#cloud-config\n", ""));
  expect(config.users).toMatchObject([{ name: "ops", ssh_authorized_keys: [login.publicKey] }]);
  expect(config.ssh_keys.ed25519_public).toBe(hostKey);
  expect((await firstBoot({ os: "debian-13", memoryMb: 1024, user: "ops" })).hostKey).not.toBe(
    hostKey,
  );
  expect(newNonce()).toMatch(/^[a-z0-9]{20}$/);
  expect(newNonce()).not.toBe(newNonce());
});

test("an approved key is what passes ask the controller's store for", async () => {
  const { approvals, home } = await opened();
  const { publicKey } = generateSshKeyPair();
  const place = { host: "web-1", address: "192.0.2.1", port: 22, user: "deploy" };
  expect(approvals.isApproved("web-1", publicKey)).toBe(false);
  approvals.approve(place, publicKey);
  expect(approvals.isApproved("web-1", publicKey)).toBe(true);
  expect(approvals.isApproved("web-1", login.publicKey)).toBe(false);
  const file = join(home, "key.pub");
  writeFileSync(file, `${publicKey}\n`);
  const [, fingerprint] = `${execFileSync("ssh-keygen", ["-lf", file])}`.split(" ");
  const store = readControllerStore(storeDirectory(home, "acme"));
  expect(store.hostKey("web-1")).toBe(fingerprint);
  store.close();
});

test("what only looks leaves no store behind", async () => {
  const { records, home } = await opened("read");
  expect(records.machineRecords()).toEqual([]);
  expect(() => readFileSync(join(storeDirectory(home, "acme"), "store.db"))).toThrow("ENOENT");
});
