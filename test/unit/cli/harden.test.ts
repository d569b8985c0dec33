import { expect, test } from "vitest";
import { z } from "zod";
import { settingsFrom } from "../../../src/cli/commands/harden.ts";
import { hardeningLines } from "../../../src/cli/render/hardening.ts";
import { readProvisionAssets } from "../../../src/cloud/provision-assets.ts";
import { checkoutRoot } from "../../lab/names.ts";

test("a machine that is there gets what a new one has, but for its Docker, its sshd and its first boot", async () => {
  const assets = await readProvisionAssets(checkoutRoot);
  const { packages, files, daemon } = settingsFrom(assets);
  const ofNew = z.object({ packages: z.array(z.string()) }).parse(assets.common).packages;
  expect(ofNew).toEqual(expect.arrayContaining([...packages]));
  const paths = files.map(({ path }) => path);
  expect(paths).toContain("/etc/apt/apt.conf.d/60action-llama");
  expect(paths).toContain("/etc/fail2ban/jail.d/action-llama.local");
  expect(paths.filter((path) => /ssh|docker|bin/.test(path))).toEqual([]);
  expect(daemon).toMatchObject({ "live-restore": true });
});

const NOTHING = { packages: [], files: [], daemon: undefined, sshd: [], isBegun: false };

test("a person reads what hardening would change, each kind on a line", () => {
  const files = [{ path: "/etc/one", content: "" }];
  const daemon = { text: "{}", adds: ["live-restore"] };
  const sshd = ["PasswordAuthentication no", "ClientAliveInterval 5"];
  const plan = { packages: ["fail2ban"], files, daemon, sshd, isBegun: false };
  expect(hardeningLines("web-1", plan)).toEqual([
    "web-1: hardening it changes",
    "  install  fail2ban",
    "  write    /etc/one",
    "  Docker   live-restore",
    "  sshd     PasswordAuthentication no, ClientAliveInterval 5",
    "  nobody logs in there with a password any more",
  ]);
  expect(hardeningLines("web-1", { ...NOTHING, isBegun: true })).toEqual([
    "web-1: hardening it changes",
    "  services are told to read their settings, which was cut off before",
  ]);
  expect(hardeningLines("web-1", NOTHING)).toEqual(["web-1: nothing to harden"]);
});
