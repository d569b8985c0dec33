import { afterAll, beforeAll } from "vitest";
import { openLocal } from "../../src/transport/local.ts";
import { startHost } from "../lab/host.ts";
import type { LabHost } from "../lab/lab-host.ts";
import { setUpLab } from "../lab/set-up.ts";
import { filesConformance } from "./files-suite.ts";
import { connectTo } from "./lab-transport.ts";
import { transportConformance } from "./transport-suite.ts";

const log = () => undefined;
let host: LabHost;

beforeAll(async () => {
  const lab = await setUpLab({ log });
  host = await startHost(lab.engine, { log, name: "transport" });
});
afterAll(() => host?.stop());

const local = async () => openLocal({ host: "local" });
const ssh = () => connectTo(host);

transportConformance("to this machine", local);
transportConformance("to a host over SSH", ssh);
filesConformance("this machine", local);
filesConformance("a host over SSH", ssh);
