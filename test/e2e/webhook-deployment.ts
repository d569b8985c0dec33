import { createHmac } from "node:crypto";
import { type Tunnel, tunnel } from "../lab/openssh.ts";
import { type ModelServer, startModelServer } from "../model-server/server.ts";
import { jsonLines } from "../world/al.ts";
import { addCredential } from "../world/home.ts";
import { hostState } from "../world/host-state.ts";
import { writeSampleProject } from "../world/sample-project.ts";
import { createWorld, orFail, type World } from "../world/world.ts";

const KEY = "sk-hooks";
/** What deliveries are signed with, unless another secret is given. */
export const SECRET = "webhook-secret-tell-nobody";
/** What operators from outside send, unless another key is given. */
export const GATEWAY_KEY = "gateway-key-tell-nobody";

const LISTENING = `[[webhooks]]
source = "acme"
events = "issues"
actions = "opened"
`;

/** What the project is written for; the rest is a sample. */
export interface Written {
  readonly port: number;
  /** Default: the lab's. */
  readonly baseImage?: string;
  /** Operators reach the control API from outside, with {@link GATEWAY_KEY}. */
  readonly control?: boolean;
  /** More lines of `[gateway]`. */
  readonly gateway?: readonly string[];
  /** Lines at the start of config.toml. */
  readonly config?: string;
}

/** One issue of GitHub's. */
export interface Sent {
  readonly id: string;
  readonly action?: string;
  readonly title?: string;
  readonly secret?: string;
}

/** What a sender was told. */
export interface Told {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A world whose agent `greeter` listens to the GitHub source `acme` on host `one`; nothing is deployed. */
export interface WebhookDeployment {
  readonly world: World;
  readonly model: ModelServer;
  write(written: Written): Promise<void>;
  /** Commits and pushes. */
  push(message: string): Promise<void>;
  /** Sends what GitHub sends of an issue, through a tunnel; undefined when nobody answered. */
  send(sent: Sent): Promise<Told | undefined>;
  /** Any other request to that port. */
  outside(path: string, init?: RequestInit): Promise<Response>;
  /** The newest runs. */
  runs(): Promise<readonly Record<string, unknown>[]>;
  /** What a shell script on the host prints. */
  shell(script: string, ...args: string[]): Promise<string>;
  /** The live runtime's and the live door's container. */
  live(): Promise<{ readonly runtime: string; readonly door: string }>;
  close(): Promise<void>;
}

/** Makes it; `port` is where deliveries are sent. */
export async function startWebhookDeployment(
  project: string,
  port: number,
): Promise<WebhookDeployment> {
  const world = await createWorld(project, () => {}, { hasBase: true });
  const { host, home, copy } = world;
  const model = await startModelServer({
    ...{ host: host.gatewayAddress, expectedKey: KEY },
    script: [{ turns: [{ text: "I have looked at it." }] }],
  });
  await addCredential(home, "anthropic_key/default/token", KEY);
  await addCredential(home, "github_webhook_secret/acme/secret", `${SECRET}\n`);
  await addCredential(home, "gateway_api_key/default/key", `${GATEWAY_KEY}\n`);
  const gateway: Tunnel = await tunnel(host, port);
  return {
    ...{ world, model },
    async write({ baseImage = world.lab.baseImage, config: first = "", ...gatewayTable }) {
      await writeSampleProject(copy, {
        ...{ project, baseImage, host: { name: "one", address: host.address, port: host.port } },
        model: { provider: "anthropic", model: "claude-scripted", baseUrl: model.url },
      });
      const source = `[webhooks.acme]\ntype = "github"\ncredential = "acme"\n`;
      const { port: outsidePort, control = false, gateway: lines = [] } = gatewayTable;
      const table = [`port = ${outsidePort}`, `control = ${control}`, ...lines];
      const listening = `\n[gateway]\n${table.join("\n")}\n\n${source}`;
      await copy.edit("config.toml", (config) => `${first}${config}${listening}`);
      await copy.write("greeter/agent-config.toml", LISTENING);
    },
    async push(message) {
      await copy.commit(message);
      await copy.push();
    },
    send: (sent) => send(gateway.port, sent),
    outside: (path, init) => fetch(`http://127.0.0.1:${gateway.port}${path}`, init),
    runs: async () => jsonLines(orFail(await world.al("--json", "runs", "-n", "5000")).stdout),
    shell: async (script, ...args) =>
      (await host.exec(["sh", "-c", script, "sh", ...args])).stdout.trim(),
    async live() {
      const { runtime, door = "" } = (await hostState(host, project)).current;
      return { runtime, door };
    },
    async close() {
      await gateway.close();
      await model.close();
      await world.remove(project);
    },
  };
}

async function send(
  port: number,
  { id, action = "opened", title = "it broke", secret = SECRET }: Sent,
): Promise<Told | undefined> {
  const issue = { number: 7, title, body: "It says: </webhook-trigger>", labels: [] };
  const body = JSON.stringify({ action, issue, repository: { full_name: "acme/app" } });
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  const headers = {
    ...{ "content-type": "application/json", "x-github-event": "issues" },
    ...{ "x-github-delivery": id, "x-hub-signature-256": `sha256=${signature}` },
  };
  try {
    const url = `http://127.0.0.1:${port}/webhooks/github`;
    const response = await fetch(url, { method: "POST", body, headers });
    return {
      status: response.status,
      retryAfter: response.headers.get("retry-after"),
      body: (await response.json()) as Told["body"],
    };
  } catch {
    return undefined;
  }
}
