import { randomUUID } from "node:crypto";
import { systemClock } from "../../../src/base/clock.ts";
import { Secret } from "../../../src/base/secret.ts";
import { createRateLimiter } from "../../../src/cloud/rate-limiter.ts";
import { openVultr, VULTR_REQUESTS_PER_SECOND } from "../../../src/cloud/vultr-http.ts";
import { vultrProvider } from "../../../src/cloud/vultr-provider.ts";
import { ensureMachine } from "../../../src/provisioning/ensure-machine.ts";
import { generateSshKeyPair } from "../../../src/provisioning/ssh-key-pair.ts";
import { openControllerStore } from "../../../src/state/controller-store.ts";
import { ORDER } from "./order.ts";

const [baseUrl = "", key = "", directory = ""] = process.argv.slice(2);
const clock = systemClock;
const limiter = createRateLimiter(VULTR_REQUESTS_PER_SECOND, clock);
const send = openVultr({ key: new Secret(key), limiter, clock, random: Math.random, baseUrl });
const store = openControllerStore(directory);
const { machine, hostKey } = await ensureMachine(ORDER, {
  provider: vultrProvider(send),
  records: store,
  clock,
  newNonce: randomUUID,
  firstBoot: async () => {
    const pair = generateSshKeyPair();
    return { hostKey: pair.publicKey, userData: new Secret(`#cloud-config\n${pair.publicKey}\n`) };
  },
});
process.stdout.write(JSON.stringify({ id: machine.id, hostKey }));
store.close();
