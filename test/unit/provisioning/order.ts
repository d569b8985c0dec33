import type { MachineOrder } from "../../../src/provisioning/ensure-machine.ts";

/** The order that tests place. */
export const ORDER: MachineOrder = {
  ...{ project: "acme", host: "web-1", region: "ams", plan: "vc2-1c-1gb", os: "debian-13" },
  ...{ tags: ["team-a"], ipv6: true },
};
