import { inspect } from "node:util";
import { expect, test } from "vitest";
import { z } from "zod";
import { readProvisionAssets } from "../../../src/cloud/provision-assets.ts";
import { type FirstBoot, renderUserData } from "../../../src/cloud/user-data.ts";
import { MACHINE_OSES } from "../../../src/core/machine.ts";
import { generateSshKeyPair } from "../../../src/provisioning/ssh-key-pair.ts";
import { checkoutRoot } from "../../lab/names.ts";

const assets = await readProvisionAssets(checkoutRoot);
const hostKey = generateSshKeyPair();
const login = generateSshKeyPair().publicKey;
const boot = (more: Partial<FirstBoot> = {}): FirstBoot => ({
  ...{ os: "debian-13", memoryMb: 1024, user: "deploy", authorizedKeys: [login], hostKey },
  ...more,
});

const Rendered = z.strictObject({
  ssh_pwauth: z.literal(false),
  disable_root: z.literal(true),
  ssh_deletekeys: z.literal(true),
  package_update: z.literal(true),
  package_upgrade: z.literal(true),
  packages: z.array(z.string()),
  groups: z.tuple([z.literal("docker")]),
  users: z.tuple([
    z.strictObject({
      name: z.string(),
      gecos: z.string(),
      shell: z.string(),
      lock_passwd: z.literal(true),
      groups: z.tuple([z.literal("docker")]),
      ssh_authorized_keys: z.array(z.string()),
    }),
  ]),
  ssh_keys: z.strictObject({ ed25519_private: z.string(), ed25519_public: z.string() }),
  write_files: z.array(
    z.strictObject({
      path: z.string().regex(/^\/(etc|usr\/local\/sbin)\//),
      content: z.string().endsWith("\n"),
      owner: z.literal("root:root"),
      permissions: z.enum(["0644", "0755"]),
    }),
  ),
  swap: z.strictObject({ filename: z.literal("/swapfile"), size: z.int() }).optional(),
  runcmd: z.array(z.array(z.string())),
});

function rendered(more: Partial<FirstBoot> = {}) {
  const [head, json, end, ...rest] = renderUserData(assets, boot(more)).reveal().split("\n");
  expect([head, end, rest]).toEqual(["#cloud-config", "", []]);
  return Rendered.parse(JSON.parse(json ?? ""));
}

const fileOf = (config: ReturnType<typeof rendered>, path: string): string =>
  config.write_files.find((file) => file.path === path)?.content ?? "";

test.each(MACHINE_OSES)("%s gets a whole document with user, keys, packages and files", (os) => {
  const config = rendered({ os });
  expect(config.users[0]).toMatchObject({ name: "deploy", ssh_authorized_keys: [login] });
  expect(config.ssh_keys.ed25519_public).toBe(hostKey.publicKey);
  expect(config.ssh_keys.ed25519_private).toBe(hostKey.privateKey.reveal());
  expect(config.packages).toEqual(
    expect.arrayContaining(["docker.io", "fail2ban", "unattended-upgrades"]),
  );
  expect(config.packages.includes("docker-cli")).toBe(os === "debian-13");
  const [script] = config.write_files.filter(({ permissions }) => permissions === "0755");
  expect(config.runcmd).toEqual([[script?.path]]);
});

test("our settings of sshd are read first, and end a dead session within a minute", () => {
  const config = rendered();
  const path = "/etc/ssh/sshd_config.d/00-action-llama.conf";
  expect("00-action-llama.conf" < "50-cloud-init.conf").toBe(true);
  const settings = new Map(
    fileOf(config, path)
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(" ", 2) as [string, string]),
  );
  for (const name of [
    "PasswordAuthentication",
    "KbdInteractiveAuthentication",
    "PermitRootLogin",
  ]) {
    expect(settings.get(name)).toBe("no");
  }
  const [interval, count] = ["ClientAliveInterval", "ClientAliveCountMax"].map((name) =>
    Number(settings.get(name)),
  );
  expect((interval ?? 0) * (count ?? 0)).toBeGreaterThan(0);
  expect((interval ?? 0) * ((count ?? 0) + 1)).toBeLessThanOrEqual(60);
});

test("Docker keeps runs over its own restart, and limits logs", () => {
  expect(JSON.parse(fileOf(rendered(), "/etc/docker/daemon.json"))).toEqual({
    "live-restore": true,
    "log-driver": "json-file",
    "log-opts": { "max-size": "10m", "max-file": "3" },
  });
});

test.each([
  [512, 1024],
  [1024, 1024],
  [2048, 2048],
  [3072, 2048],
  [4096, undefined],
  [32_768, undefined],
])("a machine of %d MB gets %s MB of swap", (memoryMb, swapMb) => {
  const { swap } = rendered({ memoryMb });
  expect(swap?.size).toBe(swapMb === undefined ? undefined : swapMb * 1024 * 1024);
});

test.each([
  ["root", { user: "root" }],
  ["no user", { user: "a b" }],
  ["no key to log in with", { authorizedKeys: [] }],
  ["two keys in one", { authorizedKeys: [`${login}\nssh-ed25519 AAAA`] }],
  ["a private key", { authorizedKeys: [hostKey.privateKey.reveal()] }],
])("%s is refused", (_what, more) => {
  const refused = expect.objectContaining({ code: "bad-first-boot", blame: "user" });
  expect(() => renderUserData(assets, boot(more))).toThrow(refused);
});

test("a user with quotes in a key's comment stays one value", () => {
  const key = `${login} "}],"runcmd":[["reboot"]] #{{ x }}`;
  expect(rendered({ authorizedKeys: [key] }).users[0].ssh_authorized_keys).toEqual([key]);
});

test("the document cannot be printed by accident", () => {
  const data = renderUserData(assets, boot());
  expect(`${data}${JSON.stringify({ data })}${inspect({ data, hostKey })}`).not.toContain(
    "KEY-----",
  );
});
