import { beforeAll, describe } from "vitest";
import { type ContactWorld, contactConformance } from "../../conformance/contact-suite.ts";
import { contactUntil, memoryMachines } from "./memory-machines.ts";
import { provisioningRig } from "./rig.ts";

describe("machines in memory", () => {
  let world: ContactWorld;
  beforeAll(async () => {
    const { ensure, standIn, clock } = provisioningRig();
    const { hostKey } = await ensure();
    await clock.sleep(60_000);
    const { contact } = contactUntil(memoryMachines(standIn));
    const place = { host: "web-1", address: "192.0.2.1", port: 22, user: "deploy" };
    world = { contact, place, firstKey: hostKey };
  });
  contactConformance(() => world);
});
