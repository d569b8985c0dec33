import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Run } from "../../../src/core/run.ts";
import { liveReleases } from "../../../src/runtime/live-release.ts";
import { liveWebhooks } from "../../../src/runtime/live-webhooks.ts";
import { runCredentials } from "../../../src/runtime/run-credentials.ts";
import { agent } from "../schedule/harness.ts";

const RELEASE = "a".repeat(64);
const SET = "b".repeat(64);
const SECRET = "github_webhook_secret/acme/secret";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "al-live-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function put(path: string, content: string | object): Promise<void> {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), text);
}

/** Makes this live: a release with agent `dev`, which listens as said, and a credential set. */
async function deploy(sources: object | undefined, secrets: Readonly<Record<string, string>>) {
  const project = { project: "p", maxReruns: 1, workQueueSize: 1, baseImage: "b" };
  const webhooks = [{ source: "acme", filter: { events: ["issues"] } }];
  await put(`releases/${RELEASE}/project.json`, {
    ...{ ...project, agents: ["dev"] },
    ...(sources && { webhooks: sources }),
  });
  await put(`releases/${RELEASE}/agents/dev/agent.json`, {
    ...agent("dev", { credentials: ["anthropic_key"] }),
    ...(sources && { webhooks }),
  });
  await put(`credentials/${SET}/anthropic_key/default/token`, "sk");
  for (const [path, value] of Object.entries(secrets)) {
    await put(`credentials/${SET}/${path}`, value);
  }
  const network = { name: "n", bridge: "b", subnet: "s", gateway: "g" };
  const facts = { project: "p", host: "h", revision: "r", runtime: "me", network };
  await put("current.json", { ...facts, release: RELEASE, credentials: SET });
}

function open(runtimeName = "me") {
  return liveWebhooks(directory, liveReleases({ projectDir: directory, runtimeName }));
}

const acme = { type: "github", allowUnsigned: true, rateLimit: 60 };

test("has the live release's sources with their secrets, and who listens for what", async () => {
  await deploy({ acme: { ...acme, credential: ["acme"] } }, { [SECRET]: "  s3cret\n" });
  const live = await open().current();
  expect(live?.listeners).toEqual([
    { agent: "dev", source: "acme", filter: { events: ["issues"] } },
  ]);
  const [source] = live?.sources ?? [];
  expect(source).toMatchObject({
    ...{ name: "acme", format: { type: "github" }, deliveriesPerMinute: 60 },
    allowUnsigned: false,
  });
  expect(source?.secrets.map((secret) => secret.reveal())).toEqual(["s3cret"]);
  expect(JSON.stringify(live)).not.toContain("s3cret");
});

test("reads a release made before there were webhooks, and is nothing to another runtime", async () => {
  await deploy(undefined, {});
  expect(await open().current()).toEqual({ sources: [], listeners: [] });
  expect(await open("another").current()).toBeUndefined();
});

test("a source takes unsigned deliveries only if it names no secret", async () => {
  await deploy({ acme }, {});
  expect((await open().current())?.sources).toMatchObject([{ allowUnsigned: true, secrets: [] }]);
});

test("a secret that is not on the host is an error, and never none", async () => {
  await deploy({ acme: { ...acme, credential: ["acme"] } }, {});
  await expect(open().current()).rejects.toMatchObject({ code: "credential-missing" });
});

test("a run's credentials are its agent's own, although the set has the webhook's secret", async () => {
  await deploy({ acme: { ...acme, credential: ["acme"] } }, { [SECRET]: "s3cret" });
  const run = { id: "01", agent: "dev", start: { release: RELEASE, credentials: SET } } as Run;
  expect(await runCredentials(directory).read(run)).toEqual({
    anthropic_key: { default: { token: "sk" } },
  });
});
