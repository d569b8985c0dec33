import { providerConformance } from "../../conformance/provider-suite.ts";
import { inProcessWorld, overHttpWorld } from "../../vultr/worlds.ts";

const SMALL = { region: "ams", plan: "vc2-1c-1gb", notHere: "vhf-8c-32gb" };

providerConformance("vultr, against the stand-in", () => inProcessWorld(SMALL));

providerConformance(
  "vultr, against the stand-in with pages of two, where new things show late",
  () =>
    inProcessWorld(
      { region: "ams", plan: "vc2-1c-2gb", notHere: "vc2-1c-0.5gb" },
      { perPage: 2, visibleAfterMs: 1_000 },
    ),
);

providerConformance("vultr, over connections to the stand-in", () => overHttpWorld(SMALL));
