import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { deprovision } from "../../../src/cli/commands/deprovision.ts";
import { provision } from "../../../src/cli/commands/provision.ts";
import { provisionGc } from "../../../src/cli/commands/provision-gc.ts";
import type { CliContext } from "../../../src/cli/context.ts";
import { approvalsIn, type openProvisioning } from "../../../src/cli/open-provisioning.ts";
import { createOutput } from "../../../src/cli/render/output.ts";
import { storeDirectory } from "../../../src/cli/wake.ts";
import type { VultrOptions } from "../../../src/cloud/vultr-http.ts";
import { openControllerStore, readControllerStore } from "../../../src/state/controller-store.ts";
import type { StandInOptions } from "../../vultr/stand-in.ts";
import { temporaryDirectory } from "../git/git-fixture.ts";
import { contactUntil, memoryMachines } from "../provisioning/memory-machines.ts";
import { provisioningRig } from "../provisioning/rig.ts";
import { memoryWire } from "./memory-wire.ts";

/** A machine that somebody has, and two that are to be made. */
export const FLEET = `[project]
name = "acme"
[hosts.mine]
address = "192.0.2.200"
[hosts.web-1]
provider = "vultr"
region = "ams"
plan = "vc2-1c-1gb"
[hosts.web-2]
provider = "vultr"
region = "fra"
plan = "vc2-1c-2gb"
os = "debian-12"
ipv6 = true
tags = ["team-a"]
sshFrom = ["203.0.113.7"]
`;

type Open = typeof openProvisioning;

/** A checkout, an account at the stand-in, and operators with homes of their own. */
export function provisionWorld(fleet = FLEET, options: StandInOptions = {}) {
  const rig = provisioningRig(options);
  const machines = memoryMachines(rig.standIn);
  const project = temporaryDirectory();
  writeFileSync(join(project, "fleet.toml"), fleet);
  const { wire, hostAt } = memoryWire(machines);
  const operator = (
    cut: Parameters<typeof contactUntil>[1] = {},
    home = temporaryDirectory(),
    more: Partial<VultrOptions> = {},
  ) => {
    const provider = rig.provider(more);
    const storePath = storeDirectory(home, "acme");
    const open: Open = async (_context, _project, access) => {
      const store = (access === "read" ? readControllerStore : openControllerStore)(storePath);
      const { contact } = contactUntil(machines, cut);
      const approvals = approvalsIn(store);
      return {
        deps: { ...rig.deps({ records: store, provider }), contact, approvals },
        close: store.close,
      };
    };
    /** Exit code, and all that was said. */
    const al = async (
      work: (context: CliContext, open: Open) => Promise<number>,
      json = false,
    ): Promise<{ readonly code: number; readonly said: string }> => {
      let said = "";
      const write = (text: string) => (said += text);
      const output = createOutput(json, { out: { write }, err: { write } });
      const context = {
        ...{ home, project, output, signal: new AbortController().signal, interactive: false },
        ...{ dockerSocket: "", gitVariables: {}, holder: "test", person: "ann@laptop" },
      } satisfies CliContext;
      const code = await work(context, open).catch((thrown) => {
        output.fail(thrown);
        return 1;
      });
      return { code, said };
    };
    return {
      home,
      storePath,
      provision: (host: string | undefined, yes: boolean, json = false) =>
        al((context, open) => provision(context, { host, yes }, open), json),
      gc: (machine: string | undefined, yes: boolean, json = false) =>
        al((context, open) => provisionGc(context, { machine, yes }, open), json),
      deprovision: (host: string, flags: { yes?: boolean; force?: boolean } = {}) =>
        al((context, open) =>
          deprovision(context, { host, yes: false, force: false, ...flags }, open, wire),
        ),
    };
  };
  /** How much there is at the provider. */
  const left = () => {
    const { instances, groups, sshKeys } = rig.standIn.account;
    return { machines: instances.size, firewalls: groups.size, keys: sshKeys.size };
  };
  const lock = () => parse(readFileSync(join(project, "fleet.lock.toml"), "utf8"));
  return { ...rig, machines, hostAt, project, operator, lock, left };
}
