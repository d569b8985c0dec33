import { Secret } from "../../../src/base/secret.ts";
import { providerConformance } from "../../conformance/provider-suite.ts";
import { vultrRig } from "../../vultr/rig.ts";

providerConformance("vultr, against the stand-in", () => {
  const { provider, clock } = vultrRig();
  return {
    provider: provider(),
    withWrongKey: provider({ key: new Secret("wrong") }),
    clock,
    choice: { region: "ams", plan: "vc2-1c-1gb", notHere: "vhf-8c-32gb" },
  };
});

providerConformance("vultr, against the stand-in with pages of two", () => {
  const { provider, clock } = vultrRig({ perPage: 2, visibleAfterMs: 1_000 });
  return {
    provider: provider(),
    withWrongKey: provider({ key: new Secret("wrong") }),
    clock,
    choice: { region: "ams", plan: "vc2-1c-2gb", notHere: "vc2-1c-0.5gb" },
  };
});
