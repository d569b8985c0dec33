import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkSshd, SSHD_HARDENED } from "../../../src/provisioning/check-sshd.ts";

test("what is asked of sshd is what new machines are told", () => {
  const told = readFileSync("provision/files/etc/ssh/sshd_config.d/00-action-llama.conf", "utf8");
  const lines = told.toLowerCase().split("\n");
  expect(SSHD_HARDENED.filter((line) => !lines.includes(line))).toEqual([]);
});

test("everything that differs is named, and more host keys do no harm", () => {
  const other = "hostkey /etc/ssh/ssh_host_rsa_key";
  checkSshd("web-1", `port 22\n${other}\n${SSHD_HARDENED.join("\n")}\n`);
  const open = `permitrootlogin yes\n${other}\n${SSHD_HARDENED.slice(0, 2).join("\n")}\n`;
  expect(() => checkSshd("web-1", open)).toThrow(
    `permitrootlogin yes, not permitrootlogin no; no authenticationmethods, not authenticationmethods publickey; ${other}, not hostkey /etc/ssh/ssh_host_ed25519_key`,
  );
});
